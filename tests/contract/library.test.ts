/** A runtime in a program: calls, counts, foreign connectors, and two runtimes side by side. */
import assert from "node:assert/strict";
import { ConfigError, ConnectorError } from "../../src/base/errors.ts";
import { population } from "../support/population.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { closeCode, contract, flows, websocket } from "../support/socket-contract.ts";

const config = websocket() + flows;

const two = `
  connector "one" {
    type = "websocket"
    port = 0
    path = "/one"
  }
  connector "two" {
    type = "websocket"
    port = 0
    path = "/two"
  }
`;

contract("library: calls reach who is meant and say how many", config, async (t) => {
  assert.equal(await t.runtime.broadcast("nobody is here"), 0);
  const [ann, bob] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=bob")];
  await ann.ask({ type: "join_room", room: "r", id: 1 });
  const data = { list: [1, null, "ä🙂"], nested: { __proto__: null, constructor: "c" } };
  assert.equal(await t.runtime.broadcast(data), 2);
  assert.equal(await t.runtime.sendToRoom("r", data), 1);
  assert.equal(await t.runtime.sendToUser("bob", data), 1);
  const plain = JSON.parse(JSON.stringify(data));
  assert.deepEqual(await ann.hearMany(2), [
    { type: "message", data: plain },
    { type: "message", data: plain, room: "r" },
  ]);
  assert.deepEqual(await bob.hearMany(2), [
    { type: "message", data: plain },
    { type: "message", data: plain },
  ]);
  assert.equal(await t.runtime.sendToRoom("R", data), 0);
  assert.equal(await t.runtime.sendToUser("Bob", data), 0);
  for (const client of [ann, bob]) await client.hearsNothing();
});

contract("library: what is no JSON is sent as JSON has it, or refused", config, async (t) => {
  const client = await t.connect();
  for (
    const [value, sent] of [[undefined, null], [NaN, null], [new Date(0), new Date(0).toJSON()]]
  ) {
    assert.equal(await t.runtime.broadcast(value), 1);
    assert.deepEqual(await client.hear(), { type: "message", data: sent });
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [cycle, 1n]) await assert.rejects(t.runtime.broadcast(value), ConnectorError);
  await client.hearsNothing();
});

contract("library: names that are none are refused", config, async (t) => {
  for (const room of ["", "a\nb", "x".repeat(256), "\ud800"]) {
    await assert.rejects(t.runtime.sendToRoom(room, 1), ConnectorError, JSON.stringify(room));
  }
  for (const connector of ["", "nobody", "probe", "constructor"]) {
    await assert.rejects(t.runtime.broadcast(1, { connector }), ConnectorError, connector);
  }
  await assert.rejects(t.runtime.publish("key", 1), ConnectorError);
});

contract("library: counts follow what happens", config, async (t) => {
  const counts = () => population(t.runtime);
  assert.deepEqual(counts(), { connections: 0, rooms: 0, users: 0 });
  const clients = await Promise.all(
    ["ann", "ann", "bob"].map((u) => t.connect(`/ws?user_id=${u}`)),
  );
  await t.connect();
  for (const client of clients) await client.ask({ type: "join_room", room: "r", id: 1 });
  await clients[0].ask({ type: "join_room", room: "s", id: 1 });
  assert.deepEqual(counts(), { connections: 4, rooms: 2, users: 2 });
  clients[0].close();
  await clients[0].ending();
  await t.probe.received(1);
  assert.deepEqual(counts(), { connections: 3, rooms: 1, users: 2 });
});

contract("library: of several connectors one must be named", two, async (t) => {
  const [one, other] = [await t.connect("/one"), await t.connect("/two")];
  await assert.rejects(t.runtime.broadcast(1), /one, two/);
  assert.equal(await t.runtime.broadcast("first", { connector: "one" }), 1);
  assert.equal(await t.runtime.broadcast("second", { connector: "two" }), 1);
  assert.deepEqual(await one.hear(), { type: "message", data: "first" });
  assert.deepEqual(await other.hear(), { type: "message", data: "second" });
});

contract("library: two runtimes in one process do not see each other", config, async (t) => {
  const second = await t.host.start(config, { connectors: t.probe.connectors });
  const client = await t.connect("/ws?user_id=ann");
  const stranger = await SocketClient.connect(second.port);
  try {
    stranger.write(handshakeText(`${t.host.mount}/ws?user_id=ann`));
    await stranger.upgraded();
    for (const each of [client, stranger]) await each.ask({ type: "join_room", room: "r", id: 1 });
    assert.equal(await t.runtime.broadcast(1), 1);
    assert.equal(await t.runtime.sendToRoom("r", 2), 1);
    assert.equal(await t.runtime.sendToUser("ann", 3), 1);
    assert.deepEqual((await client.hearMany(3)).map(({ data }) => data), [1, 2, 3]);
    await stranger.hearsNothing();
    assert.equal(await second.runtime.broadcast(4), 1);
    assert.deepEqual((await stranger.hear()).data, 4);
    const closed = second.runtime.close();
    assert.equal((await stranger.ending()).code, closeCode(t.host, 1001));
    await closed;
    await client.hearsNothing();
  } finally {
    stranger.destroy();
    await second.close();
  }
  await (await t.connect()).hearsNothing();
});

contract("library: a foreign connector gets what a built-in one gets", config, async (t) => {
  const client = await t.connect("/ws?user_id=ann");
  await client.ask({ type: "probe", data: { a: 1 }, room: "r", id: 1 });
  const [{ payload, target, input }] = t.probe.deliveries;
  assert.deepEqual([payload, target], [{ a: 1 }, undefined]);
  const { client_id, ...rest } = input;
  assert.ok(typeof client_id === "string");
  const expected = { a: 1, data: { a: 1 }, event: "probe", user_id: "ann", room: "r" };
  assert.deepEqual(rest, expected);
});

contract(
  "library: ending a runtime ends its sockets, and later calls reach nobody",
  config,
  async (t) => {
    const client = await t.connect();
    const closed = t.runtime.close();
    assert.equal((await client.ending()).code, closeCode(t.host, 1001));
    await closed;
    assert.equal(await t.runtime.broadcast(1), 0);
  },
);

contract("library: one path twice is refused where there is but one address", "", async (t) => {
  const start = () =>
    t.host.start(two.replace("/two", "/one").replace("port = 0", 'port = 0\n host = "127.0.0.1"'));
  if (t.host.embedded) {
    await assert.rejects(async () => {
      // Some hosts look at the paths when they are made, others when they start to serve.
      const running = await start();
      await running.close();
    }, ConfigError);
  } else {
    await (await start()).close();
  }
});
