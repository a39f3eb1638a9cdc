/** Pings, pongs, and the end of connections that are silent. */
import assert from "node:assert/strict";
import type { SocketClient } from "../support/socket-client.ts";
import { contract, flows, websocket } from "../support/socket-contract.ts";
import { opcodes } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";

const config = websocket('ping_interval = "200ms"\n pong_timeout = "100ms"') + flows;
/** For clients that must live: they share an event loop with the server, and a machine with others. */
const patient = websocket('ping_interval = "300ms"\n pong_timeout = "300ms"') + flows;
/** For one that answers by itself: Deno pings after half of its idle timeout, here two seconds. */
const calm = websocket('ping_interval = "600ms"\n pong_timeout = "600ms"') + flows;
/** What a loaded machine may take on top of a deadline, in milliseconds. */
const ROOM = 4_000;

/** Reads on; the client answers pings, or not, as it was told. */
async function untilPings(client: SocketClient, count: number): Promise<void> {
  while (client.pings < count) await client.ask({ type: "echo", id: 0 }).then(() => pause(10));
}

contract(
  "heartbeat: the first ping comes in the second half of the first interval",
  config,
  async (t) => {
    const began = performance.now();
    const client = await t.connect();
    const { opcode, payload } = await client.frame();
    const took = performance.now() - began;
    assert.equal(opcode, opcodes.ping);
    assert.ok(payload.length <= 125);
    if (t.host.features.ping) {
      // Timers may fire a millisecond early.
      assert.ok(took >= 99 && took < 200 + ROOM, `${took} ms`);
    } else {
      // Deno pings by itself, when nothing came for half of its idle timeout of at least a second.
      assert.ok(took >= 499 && took < 500 + ROOM, `${took} ms`);
    }
  },
);

contract("heartbeat: an idle client that pongs is pinged again and again", calm, async (t) => {
  const client = await t.connect();
  for (let pings = 0; pings < 4; pings++) {
    const { opcode, payload } = await client.frame();
    assert.equal(opcode, opcodes.ping);
    client.send({ opcode: opcodes.pong, payload });
  }
  await client.hearsNothing();
  assert.deepEqual(t.probe.deliveries, []);
});

contract(
  "heartbeat: who does not pong is destroyed, and its end is told once",
  config,
  async (t) => {
    const began = performance.now();
    const connect = (user: string) => t.connect(`/ws?user_id=${user}`, { answerPings: false });
    const [mute, early, talker] = await Promise.all(["mute", "early", "talker"].map(connect));
    for (const room of ["a", "b"]) await mute.ask({ type: "join_room", room, id: 1 });
    // A pong that no ping has asked for is no life.
    early.send(...Array.from({ length: 10 }, () => ({ opcode: opcodes.pong, payload: "alive" })));
    const talking = setInterval(() => talker.say({ type: "echo" }), 20);
    try {
      const [earliest, latest] = t.host.features.ping ? [200, 300] : [1000, 1000];
      for (const client of [mute, early]) {
        const { code } = await client.ending();
        const took = performance.now() - began;
        // Deno says 1001 before it lets go.
        assert.equal(code, t.host.features.ping ? 1006 : 1001);
        assert.ok(took >= earliest - 2 && took < latest + ROOM, `${took} ms`);
      }
      // For Deno's idle timeout any frame is life.
      if (t.host.features.ping) assert.equal((await talker.finish()).ending.code, 1006);
      else assert.equal(t.runtime.counts().ws.connections, 1);
    } finally {
      clearInterval(talking);
    }
    for (const room of ["a", "b"]) assert.equal(await t.runtime.sendToRoom(room, 1), 0);
    const count = t.host.features.ping ? 3 : 2;
    await t.probe.received(count);
    await pause(300);
    const ends = new Map(t.probe.deliveries.map(({ input }) => [input.user_id, input]));
    assert.equal(t.probe.deliveries.length, count);
    assert.equal(ends.size, count);
    assert.deepEqual(ends.get("mute")?.rooms, ["a", "b"]);
    assert.deepEqual(ends.get("early")?.rooms, []);
  },
);

contract(
  "heartbeat: in a busy room who pongs lives, and who does not is destroyed",
  patient,
  async (t) => {
    const alive = await t.connect("/ws?user_id=alive");
    const silent = await t.connect("/ws?user_id=silent", { answerPings: false });
    for (const client of [alive, silent]) await client.ask({ type: "join_room", room: "r", id: 1 });
    let sent = 0;
    const busy = setInterval(() => {
      void t.runtime.sendToRoom("r", sent++);
    }, 10);
    try {
      const ended = silent.finish();
      const until = performance.now() + 1_200;
      let heard = 0;
      while (performance.now() < until) assert.equal((await alive.hear()).data, heard++);
      const { messages, ending } = await ended;
      assert.deepEqual(messages.map(({ data }) => data), messages.map((_, n) => n));
      assert.ok(messages.length > 0);
      assert.equal(ending.code, t.host.features.ping ? 1006 : 1001);
      if (t.host.features.ping) assert.ok(alive.pings >= 3 && silent.pings === 1);
      while (heard < sent) await alive.hear().then(() => heard++);
    } finally {
      clearInterval(busy);
    }
    const [{ input }] = await t.probe.received(1);
    assert.equal(input.user_id, "silent");
    await alive.hearsNothing();
  },
);

contract("heartbeat: a socket that the server has paused is not judged", patient, async (t) => {
  t.probe.holds = true;
  const client = await t.connect();
  client.say(...Array.from({ length: 100 }, (_, id) => ({ type: "probe", id })));
  const longerThanEveryDeadline = pause(800).then(() => t.probe.releaseAll());
  const [answers] = await Promise.all([client.hearMany(100), longerThanEveryDeadline]);
  assert.deepEqual(answers.map(({ id }) => id), Array.from({ length: 100 }, (_, id) => id));
  // Now it is judged again, and lives because it answers.
  if (t.host.features.ping) await untilPings(client, client.pings + 2);
  await client.hearsNothing();
});

contract("heartbeat: a client's ping is answered with its payload", config, async (t) => {
  const client = await t.connect();
  for (const payload of ["", "hello", "x".repeat(125)]) {
    client.send({ opcode: opcodes.ping, payload });
    const frame = await client.frame();
    assert.deepEqual([frame.opcode, frame.payload.toString()], [opcodes.pong, payload]);
  }
});

contract(
  "heartbeat: of a hundred pings in one packet the newest is answered",
  websocket() + flows,
  async (t) => {
    const client = await t.connect();
    const payloads = Array.from({ length: 100 }, (_, n) => String(n));
    client.send(...payloads.map((payload) => ({ opcode: opcodes.ping, payload })));
    let last = -1;
    while (last < 99) {
      const { opcode, payload } = await client.frame();
      assert.equal(opcode, opcodes.pong);
      const answered = Number(payload);
      assert.ok(answered > last, `${answered} after ${last}`);
      last = answered;
    }
    await client.hearsNothing();
  },
);
