/** The faults of peers: clients that do not read, do not answer, or leave in the middle of it. */
import assert from "node:assert/strict";
import { closeCode } from "../support/socket-contract.ts";
import { closeBody, opcodes } from "../support/socket-frames.ts";
import { pause, until } from "../support/socket-probe.ts";
import { frameBytes, type FrameClient } from "./client.ts";
import { type Fault, fault, faults } from "./invariants.ts";

const FILLER = "x".repeat(16 * 1024);
/** At most so many messages are sent between two looks at the server's counts. */
const BATCH = 100;

type Numbers = Readonly<Record<string, number>>;

/** A client in the room "busy", whose messages nobody else gets. */
async function busy(t: Fault): Promise<FrameClient> {
  const client = await t.open("/ws?user_id=peer", { member: false });
  client.say({ type: "join_room", room: "busy", id: 0 });
  await client.hear();
  return client;
}

/** A thousand messages a second for the room "busy", until a condition holds. */
async function flood(t: Fault, enough: (counts: Numbers) => boolean): Promise<number> {
  const began = performance.now();
  let sent = 0;
  while (!enough((await t.server.counts()).ws)) {
    // A machine that is too slow for this pace would never come to look.
    for (let more = BATCH; more > 0 && sent < performance.now() - began; more--) {
      await t.server.sendToRoom("busy", { n: sent++, filler: FILLER });
    }
    assert.ok(sent < 20_000, "timed out waiting for an end of the flood");
    await pause(2);
  }
  return sent;
}

async function ends(t: Fault): Promise<number> {
  return (await t.probe.targets()).filter((target) => target === "ended").length;
}

/** Waits for the `disconnect` flows of so many connections. */
async function gone(t: Fault, count: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (let ended = await ends(t); ended < count; ended = await ends(t)) {
    assert.ok(performance.now() < deadline, `${ended} of ${count} connections have ended`);
    await pause(20);
  }
  assert.equal(await ends(t), count);
}

fault(
  "never reads while its room gets 1000 messages a second: dropped at its queue limit, destroyed after 10 s without progress",
  {},
  async (t) => {
    const client = await busy(t);
    client.socket.pause();
    await flood(t, ({ closed_slow }) => closed_slow === 1);
    // It still reads nothing, not even the close frame.
    await gone(t, 1);
    const [{ input }] = await t.probe.deliveries();
    assert.deepEqual([input.user_id, input.code, input.rooms], ["peer", 1013, ["busy"]]);
  },
);

fault(
  "never reads while its room gets 1000 messages a second: drop_oldest keeps it, and its queue is bounded",
  { attributes: 'slow_client {\n queue = "256KB"\n policy = "drop_oldest"\n }' },
  async (t) => {
    const client = await busy(t);
    client.socket.pause();
    const sent = await flood(t, ({ dropped }) => dropped >= 100);
    client.socket.resume();
    let next = 0;
    while (next < sent) {
      const { type, count, data } = await client.hear() as {
        type: string;
        count?: number;
        data?: { n: number; filler: string };
      };
      if (type === "dropped") next += count ?? 0;
      else assert.deepEqual(data, { n: next++, filler: FILLER });
    }
    assert.equal(next, sent);
    client.destroy();
    await gone(t, 1);
  },
);

fault("reads 1 KB/s: bytes intact or dropped", {}, async (t) => {
  const client = await busy(t);
  // A socket reads by chunks: after each of them this one rests for as long as 1 KB/s takes.
  let throttle: ReturnType<typeof setTimeout> | undefined;
  let slow = true;
  client.socket.on("data", ({ length }) => {
    if (!slow) return;
    client.socket.pause();
    throttle = setTimeout(() => client.socket.resume(), length / 1024 * 1_000);
  });
  const sent = await flood(t, ({ closed_slow }) => closed_slow === 1);
  clearTimeout(throttle);
  slow = false;
  client.socket.resume();
  // Now it reads everything that had been sent before it was closed.
  const { frames, ended } = await client.rest();
  const close = frames.at(-1);
  assert.ok(ended && frames.length <= sent + 1);
  assert.deepEqual([close?.opcode, close?.payload.readUInt16BE()], [
    opcodes.close,
    closeCode(t.host, 1013),
  ]);
  for (const [n, { payload }] of frames.slice(0, -1).entries()) {
    const { data } = JSON.parse(payload.toString()) as { readonly data: unknown };
    assert.deepEqual(data, { n, filler: FILLER });
  }
  await gone(t, 1);
});

fault(
  "never answers pings (process stopped), half-open TCP: destroyed at ping + pong_timeout, disconnect flows once",
  { attributes: 'ping_interval = "1s"\n pong_timeout = "500ms"' },
  async (t) => {
    const began = performance.now();
    const mute = await t.open("/ws?user_id=mute", { member: false });
    const stopped = await t.open("/ws?user_id=stopped", { member: false });
    stopped.socket.pause();
    await gone(t, 2);
    const took = performance.now() - began;
    // The first ping comes in the second half of the first interval; embedded Deno has its own.
    assert.ok(took >= 950 && took < 10_000, `${took} ms`);
    assert.deepEqual((await t.probe.deliveries()).map(({ input }) => input.user_id).sort(), [
      "mute",
      "stopped",
    ]);
    if (!t.host.features.ping) return;
    assert.equal((await t.server.counts()).ws.closed_pong, 2);
    const { frames } = await mute.rest();
    assert.ok(frames.length > 0 && frames.every(({ opcode }) => opcode === opcodes.ping));
  },
);

/** A reset in one state of a connection. */
const resets: Readonly<Record<string, (t: Fault, client: FrameClient) => Promise<void>>> = {
  idle: () => Promise.resolve(),
  async reading(t, client) {
    client.socket.pause();
    for (let n = 0; n < 20; n++) await t.server.sendToRoom("busy", { n, filler: FILLER });
  },
  async "reading more than the kernel takes"(t, client) {
    client.socket.pause();
    for (let n = 0; n < 50; n++) await t.server.sendToRoom("busy", { n, filler: FILLER });
    await pause(5);
  },
  async writing(t, client) {
    await t.probe.hold();
    client.say({ type: "probe", id: 1 });
    await t.probe.received(1);
    client.write(frameBytes({ payload: "half a frame" }).subarray(0, 9));
  },
  closing(_, client) {
    client.send({ opcode: opcodes.close, payload: closeBody(1000) });
    return Promise.resolve();
  },
  async "closed by the server"(t, client) {
    client.send({ opcode: opcodes.binary, payload: "1003" });
    await until("the close", async () => (await t.server.counts()).ws.closed_binary === 1);
  },
};

for (const [state, reach] of Object.entries(resets)) {
  fault(`reset while ${state}: no throw, one disconnect`, {}, async (t) => {
    const client = await busy(t);
    await reach(t, client);
    client.reset();
    await until("the end", async () => (await t.server.presence()).users === 0);
    await t.probe.releaseAll();
    await gone(t, 1);
  });
}

faults({}, {
  async "both close at once: no throw"(t) {
    const client = await t.open();
    // The server closes for the one, and is asked to close by the other.
    client.send(
      { opcode: opcodes.binary, payload: "1003" },
      { opcode: opcodes.close, payload: closeBody(1000) },
    );
    const { ended } = await client.rest();
    assert.ok(ended);
  },
  async "send after close: no throw, and nothing runs"(t) {
    const client = await t.open("/ws", { member: false });
    client.send(
      { opcode: opcodes.close, payload: closeBody(1000) },
      { payload: '{"type":"probe","data":"late"}' },
    );
    const { frames, ended } = await client.rest({ answer: false });
    assert.ok(ended);
    assert.ok(frames.every(({ opcode }) => opcode === opcodes.close));
    assert.ok(!(await t.probe.payloads()).includes("late"));
  },
});

const TO_USER = `
  flow "me" {
    from {
      connector = "ws"
      operation = "me"
    }
    to {
      connector = "ws"
      operation = "send_to_user"
      target    = "client.user_id"
    }
  }
`;

fault(
  "a socket dies between queue and flush: counted as undelivered",
  { blocks: TO_USER },
  async (t) => {
    const client = await t.open("/ws?user_id=peer", { member: false });
    // The message to itself is queued while its close frame waits behind, in the same read.
    client.send(
      { payload: '{"type":"me","data":"now"}' },
      { opcode: opcodes.close, payload: closeBody(1000) },
    );
    const { frames, ended } = await client.rest({ answer: false });
    assert.ok(ended);
    const received = frames.filter(({ opcode }) => opcode === opcodes.text).length;
    await gone(t, 1);
    const { undelivered } = (await t.server.counts()).ws;
    assert.equal(received + undelivered, 1);
    // `ws` lets what is queued out before it answers a close; Bun answers at once. Deno's own sockets
    // tell of the close a tick later, and so the message may go out before it.
    if (t.host.sockets === "ws") assert.equal(received, 1);
    if (t.host.sockets === "bun") assert.equal(undelivered, 1);
  },
);
