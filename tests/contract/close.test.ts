/** How connections end, by the client, by policy and by the server's own end. */
import assert from "node:assert/strict";
import { closeCode, contract, flows, websocket } from "../support/socket-contract.ts";
import { pause, until } from "../support/socket-probe.ts";

const config = websocket() + flows;

contract(
  "close: the client's own close is answered and its frames were served",
  config,
  async (t) => {
    const client = await t.connect();
    client.say({ type: "probe", data: 1 }, { type: "probe", data: 2 });
    client.close(1000, "done");
    assert.deepEqual((await client.finish()).ending.code, 1000);
    await t.probe.received(3);
    assert.deepEqual(t.probe.payloads.slice(0, 2), [1, 2]);
  },
);

contract("close: a hundred errors are borne, one more is too many", config, async (t) => {
  const client = await t.connect();
  const nonsense = (count: number) => Array.from({ length: count }, () => ({ type: "nonsense" }));
  client.say(...nonsense(100));
  for (const { code } of await client.hearMany(100)) assert.equal(code, "unknown_type");
  await client.hearsNothing();
  client.say(...nonsense(1));
  const { messages, ending } = await client.finish();
  assert.equal(messages.length, 1);
  assert.equal(ending.code, closeCode(t.host, 1008));
  const { input } = (await t.probe.received(1))[0];
  assert.deepEqual([input.code, input.reason], [1008, ending.reason]);
});

contract("close: errors of every kind count", config, async (t) => {
  const client = await t.connect();
  const kinds = [{ type: "nonsense" }, 1, { type: "join_room" }, { type: "probe", id: null }];
  client.say(...Array.from({ length: 101 }, (_, i) => kinds[i % kinds.length]));
  const { messages, ending } = await client.finish();
  assert.equal(messages.length, 101);
  assert.equal(ending.code, closeCode(t.host, 1008));
});

contract("close: what comes after a server's close is not served", config, async (t) => {
  const client = await t.connect();
  client.send({ opcode: 2 }, { payload: '{"type":"probe","id":1}' });
  // Deno's own upgrade ends without a close frame where it reads on after its own close.
  const expected = t.host.sockets === "deno" ? 1006 : 1003;
  assert.equal((await client.ending()).code, expected);
  const deliveries = await t.probe.received(1);
  assert.deepEqual(deliveries.map(({ target }) => target), ["ended"]);
});

contract("close: who is being closed gets nothing more, and is in no room", config, async (t) => {
  const client = await t.connect("/ws?user_id=ann");
  await client.ask({ type: "join_room", room: "r", id: 1 });
  client.send({ opcode: 2 });
  assert.equal((await client.frame()).payload.readUInt16BE(), closeCode(t.host, 1003));
  assert.equal(await t.runtime.sendToRoom("r", 1), 0);
  assert.equal(await t.runtime.sendToUser("ann", 1), 0);
  assert.equal(await t.runtime.broadcast(1), 0);
});

contract("close: each message that counts a closing client arrives", config, async (t) => {
  const client = await t.connect("/ws?user_id=ann");
  await client.ask({ type: "join_room", room: "r", id: 1 });
  // Its TCP stays open: it does not read that the server has ended its side.
  client.socket.pause();
  client.close(1000);
  let counted = 0;
  await until("the close", async () => {
    const found = await t.runtime.sendToRoom("r", 1);
    counted += found;
    return found === 0;
  });
  assert.equal(await t.runtime.sendToUser("ann", 1), 0);
  assert.equal(await t.runtime.broadcast(1), 0);
  client.socket.resume();
  const { messages, ending } = await client.finish();
  assert.equal(ending.code, 1000);
  // Bun and Deno's own sockets may answer a close before what was sent in the same tick.
  if (t.host.sockets === "ws") assert.equal(messages.length, counted);
  else assert.ok(counted - messages.length <= 1);
  await t.probe.received(1);
  assert.deepEqual(t.probe.targets, ["ended"]);
});

contract(
  "close: a client that ends its TCP is no recipient, though it reads nothing",
  websocket('slow_client {\n queue = "64MB"\n }') + flows,
  async (t) => {
    // Bun and Deno's own sockets tell of the end when the socket is gone.
    if (t.host.sockets !== "ws") return;
    const client = await t.connect("/ws?user_id=ann");
    await client.hearsNothing();
    client.socket.pause();
    const text = "x".repeat(1_000_000);
    for (let n = 0; n < 16; n++) await t.runtime.sendToUser("ann", text);
    client.socket.end();
    await until("the end", async () => await t.runtime.sendToUser("ann", 1) === 0);
    assert.deepEqual(t.probe.targets, []);
    client.destroy();
    await t.probe.received(1);
    assert.deepEqual(t.probe.targets, ["ended"]);
  },
);

contract("close: the server's end flushes, then closes everybody with 1001", config, async (t) => {
  const clients = await Promise.all([1, 2, 3].map(() => t.connect()));
  const sent = Array.from({ length: 200 }, (_, n) => ({ n, text: "x".repeat(500) }));
  const sending = Promise.all(sent.map((data) => t.runtime.broadcast(data)));
  const closed = t.running.close();
  for (const client of clients) {
    const { messages, ending } = await client.finish();
    assert.deepEqual(messages.map(({ data }) => data), sent);
    assert.equal(ending.code, closeCode(t.host, 1001));
    assert.ok(ending.reason.length > 0);
  }
  await sending;
  await closed;
  assert.equal(t.probe.deliveries.length, 3);
  assert.ok(t.probe.deliveries.every(({ input }) => input.code === 1001));
});

contract(
  "close: the server's end waits for the flow in flight and answers it",
  config,
  async (t) => {
    t.probe.holds = true;
    const client = await t.connect();
    client.say({ type: "probe", data: 1, id: 1 }, { type: "probe", data: 2, id: 2 });
    await t.probe.received(1);
    let over = false;
    const closed = t.running.close().then(() => {
      over = true;
    });
    await pause(50);
    assert.equal(over, false);
    t.probe.releaseAll();
    const { messages, ending } = await client.finish();
    assert.deepEqual(messages, [{ type: "ack", id: 1 }]);
    assert.equal(ending.code, closeCode(t.host, 1001));
    await closed;
    assert.deepEqual(t.probe.deliveries.map(({ target, payload }) => target ?? payload), [
      1,
      "ended",
    ]);
  },
);

contract("close: ending twice is like once", config, async (t) => {
  const client = await t.connect();
  const both = [t.runtime.close(), t.runtime.close()];
  assert.equal((await client.ending()).code, closeCode(t.host, 1001));
  await Promise.all(both);
  await t.runtime.close();
  assert.equal(await t.runtime.broadcast(1), 0);
});

contract("close: both sides at once", config, async (t) => {
  const clients = await Promise.all(Array.from({ length: 10 }, () => t.connect()));
  const closed = t.running.close();
  for (const client of clients) client.close(1000);
  for (const client of clients) {
    const { code } = await client.ending();
    assert.ok(code === 1000 || code === closeCode(t.host, 1001), `code ${code}`);
  }
  await closed;
});

contract(
  "close: the server's end does not wait for ever for a client that says nothing",
  websocket('ping_interval = "1s"\n pong_timeout = "1s"') + flows,
  async (t) => {
    const client = await t.connect("/ws", { answerPings: false });
    const began = performance.now();
    await t.running.close();
    const took = performance.now() - began;
    // Three seconds of grace.
    assert.ok(took < 10_000, `${took} ms`);
    client.destroy();
  },
);

contract(
  "close: nor for one that talks on and does not answer",
  websocket() + flows,
  async (t) => {
    const client = await t.connect("/ws");
    const talk = setInterval(() => client.say({ type: "probe", data: 1 }), 200);
    try {
      const began = performance.now();
      await t.running.close();
      const took = performance.now() - began;
      assert.ok(took < 10_000, `${took} ms`);
    } finally {
      clearInterval(talk);
    }
    client.destroy();
  },
);
