/** In which order frames are served, how many at once, and what happens when they pile up. */
import assert from "node:assert/strict";
import { closeCode, contract, flows, websocket } from "../support/socket-contract.ts";
import { encodeFrame } from "../support/socket-frames.ts";
import { pause, until } from "../support/socket-probe.ts";

const probes = (from: number, to: number): { type: string; data: number; id: number }[] =>
  Array.from({ length: to - from }, (_, i) => ({ type: "probe", data: from + i, id: from + i }));
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

contract(
  "order: the next frame starts when the former's flow has ended",
  websocket() + flows,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say(...probes(0, 5));
    for (let i = 0; i < 5; i++) {
      const deliveries = await t.probe.received(i + 1);
      await pause(20);
      assert.deepEqual(t.probe.payloads, numbers(i + 1));
      deliveries[i].release();
      assert.deepEqual(await client.hear(), { type: "ack", id: i });
    }
  },
);

contract(
  "order: an answer that cannot be sent does not shorten the wait for the other flows",
  `
  ${websocket()}
  flow "large" {
    from {
      connector = "ws"
      operation = "both"
    }
    response {
      data = "${Array.from({ length: 4 }, () => "input.data").join(" + ")}"
    }
  }
  flow "slow" {
    from {
      connector = "ws"
      operation = "both"
    }
    to {
      connector = "probe"
    }
    transform { length = "len(input.data)" }
  }
`,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    for (const id of [0, 1]) client.say({ type: "both", data: "x".repeat(400_000), id });
    for (const id of [0, 1]) {
      const { code, ...rest } = await client.hear();
      assert.deepEqual([code, rest.id], ["flow_failed", id]);
      await pause(20);
      assert.equal(t.probe.deliveries.length, id + 1);
      t.probe.deliveries[id].release();
    }
  },
);

contract(
  "order: a frame waits for all flows of the former, its own answer comes first",
  `
  ${websocket()}
  flow "fast" {
    from {
      connector = "ws"
      operation = "both"
    }
    response {
      by = "'fast'"
    }
  }
  flow "slow" {
    from {
      connector = "ws"
      operation = "both"
    }
    to {
      connector = "probe"
    }
  }
`,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say({ type: "both", data: 0, id: 0 }, { type: "both", data: 1, id: 1 });
    assert.deepEqual(await client.hear(), { type: "ack", id: 0, data: { by: "fast" } });
    await pause(20);
    assert.deepEqual(t.probe.payloads, [0]);
    t.probe.deliveries[0].release();
    assert.deepEqual(await client.hear(), { type: "ack", id: 1, data: { by: "fast" } });
  },
);

contract("order: joins, leaves and errors wait their turn", websocket() + flows, async (t) => {
  t.probe.holds = true;
  const client = await t.connect();
  client.say({ type: "probe", id: 1 }, { type: "join_room", room: "r", id: 2 }, {
    type: "nonsense",
    id: 3,
  });
  await t.probe.received(1);
  assert.equal(await t.runtime.sendToRoom("r", "too early"), 0);
  t.probe.releaseAll();
  assert.deepEqual((await client.hearMany(3)).map(({ id }) => id), [1, 2, 3]);
});

contract("order: a slow connection holds up no other", websocket() + flows, async (t) => {
  t.probe.holds = true;
  const [slow, quick] = [await t.connect(), await t.connect()];
  slow.say({ type: "probe", id: 1 });
  await t.probe.received(1);
  for (let n = 0; n < 20; n++) {
    assert.deepEqual((await quick.ask({ type: "echo", data: n, id: n })).id, n);
  }
});

contract(
  "order: concurrency lets so many of one connection run at once",
  websocket("concurrency = 3") + flows,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say(...probes(0, 8));
    await t.probe.received(3);
    await pause(20);
    assert.deepEqual(t.probe.payloads, [0, 1, 2]);
    t.probe.deliveries[1].release();
    assert.deepEqual(await client.hear(), { type: "ack", id: 1 });
    await t.probe.received(4);
    await pause(20);
    assert.deepEqual(t.probe.payloads, [0, 1, 2, 3]);
    t.probe.releaseAll();
    const rest = (await client.hearMany(7)).map(({ id }) => Number(id));
    assert.deepEqual(rest.sort(), [0, 2, 3, 4, 5, 6, 7]);
  },
);

contract(
  "order: hundreds that pile up are all served, in order",
  websocket() + flows,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say(...probes(0, 300));
    await t.probe.received(1);
    client.say(...probes(300, 600));
    await pause(50);
    assert.deepEqual(t.probe.payloads, [0]);
    t.probe.releaseAll();
    assert.deepEqual((await client.hearMany(600)).map(({ id }) => id), numbers(600));
    assert.deepEqual(t.probe.payloads, numbers(600));
    await client.hearsNothing();
  },
);

contract(
  "order: what piles up stops the reading, so that it costs no memory",
  websocket('max_message_size = "1MB"') + flows,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    const count = 320;
    const filler = "x".repeat(100_000);
    for (let id = 0; id < count; id++) {
      client.write(
        encodeFrame({ payload: JSON.stringify({ type: "probe", data: [id, filler], id }) }),
      );
    }
    const unsent = (): number => client.socket.writableLength;
    if (t.host.features.pause) {
      // Before that, the server may just not have been given any time.
      await t.probe.received(1);
      // 32 MB are far more than both kernels take: some must stay here for as long as nothing is read.
      let before = Infinity;
      await until("a standstill", () => {
        const still = unsent() === before;
        before = unsent();
        return still;
      }, 300);
      assert.ok(unsent() > 1_000_000, `${unsent()} bytes were not taken`);
    } else {
      // It cannot stop the reading, so it lets go. Deno resets a connection that it closes while the
      // client still sends, and the close frame is lost.
      const { messages, ending } = await client.finish();
      assert.deepEqual(messages, []);
      assert.ok([1006, closeCode(t.host, 1008)].includes(ending.code), `${ending.code}`);
      assert.equal(t.runtime.counts().ws.closed_waiting, 1);
      return;
    }
    assert.equal(t.probe.deliveries.length, 1);
    t.probe.releaseAll();
    assert.deepEqual((await client.hearMany(count)).map(({ id }) => id), numbers(count));
    await client.hearsNothing();
  },
);

contract(
  "order: a full queue does not keep a client's leaving from being seen",
  websocket() + flows,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say(...probes(0, 200));
    await t.probe.received(1);
    client.destroy();
    t.probe.releaseAll();
    await until("the disconnect flow", () => t.probe.deliveries.at(-1)?.target === "ended");
  },
);

contract(
  "order: application pings are answered while frames wait",
  websocket() + flows,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say({ type: "probe", id: 0 });
    await t.probe.received(1);
    for (let id = 0; id < 20; id++) {
      assert.deepEqual(await client.ask({ type: "ping", id }), { type: "pong", id });
    }
  },
);
