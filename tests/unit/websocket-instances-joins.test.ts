/** Clients join rooms while the room is not listened to yet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectorError } from "../../src/base/errors.ts";
import { ExpectedJoins } from "../../src/connectors/websocket/expected-joins.ts";
import { RoomPattern } from "../../src/connectors/websocket/rooms/pattern.ts";
import { FakeInstances } from "../support/fake-instances.ts";
import { ask, expression, flowThat, hubWith, soon, type TestHub } from "../support/linked-hubs.ts";
import type { FakeClient } from "../support/worker-runtimes.ts";

interface Answer {
  readonly type: string;
  readonly id?: unknown;
  readonly code?: string;
}

/** A connector whose rooms are not in force at once; users and all others are. */
function started(options: Parameters<typeof hubWith>[1] = {}) {
  const others = new FakeInstances();
  const hub = hubWith(others, options);
  others.live = new Set(["*", "u/ada", "u/bob"]);
  return { others, hub };
}

/** Waits until so many topics wait to be in force. */
async function waits({ waiting }: FakeInstances, count: number): Promise<void> {
  await soon(`${count} that wait`, () => waiting.length === count);
}

async function answers(client: FakeClient, count: number): Promise<readonly Answer[]> {
  await soon(`${count} answers`, () => client.heard >= count);
  return client.take() as Answer[];
}

function roomsOf({ hub }: TestHub): number {
  return hub.counts().rooms;
}

test("joins: a room is entered and acknowledged when it is listened to", async () => {
  const { others, hub } = started();
  const ada = await hub.open("ada");
  ada.tell({ type: "join_room", room: "r", id: 1 });
  await waits(others, 1);
  assert.equal(others.waiting[0].topic, "r/r");
  assert.deepEqual([ada.heard, roomsOf(hub)], [0, 0]);
  others.waiting[0].resolve();
  assert.deepEqual(await answers(ada, 1), [{ type: "ack", id: 1 }]);
  assert.deepEqual([roomsOf(hub), others.listened], [1, { "u/ada": 1, "r/r": 1 }]);

  // The room keeps one listen, however many members come and go.
  others.live = true;
  const bob = await hub.open("bob");
  await ask(bob, { type: "join_room", room: "r" });
  await ask(bob, { type: "join_room", room: "r" });
  assert.equal(others.counts.get("r/r"), 1);
  ada.leave();
  assert.deepEqual(others.listened, { "u/bob": 1, "r/r": 1 });
  await ask(bob, { type: "leave_room", room: "r" });
  assert.deepEqual(others.listened, { "u/bob": 1 });
  await ask(bob, { type: "leave_room", room: "r" });
  bob.leave();
  assert.deepEqual(others.listened, {});
});

test("joins: one that cannot be listened to fails, and counts as no error of the client", async () => {
  const { others, hub } = started();
  const ada = await hub.open("ada");
  for (let n = 1; n <= 150; n++) {
    ada.tell({ type: "join_room", room: "r", id: n });
    await waits(others, n);
    others.waiting[n - 1].fail();
    const [answer] = await answers(ada, 1);
    assert.deepEqual([answer.type, answer.code, answer.id], ["error", "flow_failed", n]);
  }
  assert.deepEqual([ada.ended, roomsOf(hub), others.listened], [undefined, 0, { "u/ada": 1 }]);
  const [{ text }] = hub.log.records;
  assert.match(text, /^cannot listen to room r \(ref \w+\): the broker is away$/);
});

test("joins: of two at once of one room both are acknowledged, and it is listened to once", async () => {
  const { others, hub } = started({ options: { concurrency: 4 } });
  const ada = await hub.open("ada");
  for (const id of [1, 2]) ada.tell({ type: "join_room", room: "r", id });
  await waits(others, 2);
  others.waiting[1].resolve();
  assert.deepEqual(await answers(ada, 1), [{ type: "ack", id: 2 }]);
  others.waiting[0].resolve();
  assert.deepEqual(await answers(ada, 1), [{ type: "ack", id: 1 }]);
  assert.equal(others.counts.get("r/r"), 1);
  // Of two, one that fails takes nothing from the other.
  for (const id of [3, 4]) ada.tell({ type: "join_room", room: "s", id });
  await waits(others, 4);
  others.waiting[2].fail();
  assert.equal((await answers(ada, 1))[0].code, "flow_failed");
  others.waiting[3].resolve();
  assert.deepEqual(await answers(ada, 1), [{ type: "ack", id: 4 }]);
  assert.deepEqual(others.listened, { "u/ada": 1, "r/r": 1, "r/s": 1 });
});

test("joins: who leaves or closes meanwhile is no member afterwards", async () => {
  const { others, hub } = started({ options: { concurrency: 4 } });
  const ada = await hub.open("ada");
  ada.tell({ type: "join_room", room: "r", id: 1 });
  await waits(others, 1);
  await ask(ada, { type: "leave_room", room: "r" });
  others.waiting[0].resolve();
  assert.deepEqual(await answers(ada, 1), [{ type: "ack", id: 1 }]);
  assert.deepEqual([roomsOf(hub), others.listened], [0, { "u/ada": 1 }]);
  ada.tell({ type: "join_room", room: "r", id: 2 });
  await waits(others, 2);
  ada.leave();
  others.waiting[1].resolve();
  await soon("the end", () => Object.keys(others.listened).length === 0);
  assert.equal(roomsOf(hub), 0);
});

test("joins: who has become full or has lost the right meanwhile is no member", async () => {
  const join = expression("client.rooms.size() < 1");
  const room = [{ pattern: new RoomPattern("*"), join, steps: [] }];
  const { others, hub } = started({ options: { concurrency: 4, max_rooms: 2, room } });
  const ada = await hub.open("ada");
  for (const name of ["a", "b"]) ada.tell({ type: "join_room", room: name, id: name });
  await waits(others, 2);
  others.waiting[0].resolve();
  assert.deepEqual(await answers(ada, 1), [{ type: "ack", id: "a" }]);
  others.waiting[1].resolve();
  const [refused] = await answers(ada, 1);
  assert.deepEqual([refused.code, refused.id], ["room_forbidden", "b"]);
  assert.deepEqual(others.listened, { "u/ada": 1, "r/a": 1 });

  const full = started({ options: { concurrency: 4, max_rooms: 1 } });
  const bob = await full.hub.open("bob");
  for (const name of ["a", "b"]) bob.tell({ type: "join_room", room: name, id: name });
  await waits(full.others, 2);
  full.others.waiting[1].resolve();
  assert.deepEqual(await answers(bob, 1), [{ type: "ack", id: "b" }]);
  full.others.waiting[0].resolve();
  assert.equal((await answers(bob, 1))[0].code, "too_many_rooms");
  assert.deepEqual(full.others.listened, { "u/bob": 1, "r/b": 1 });
});

test("joins: an order waits until the room is listened to, and is refused where it is not", async () => {
  const { others, hub } = started();
  const clients = [await hub.open("bob"), await hub.open("bob")];
  const order = {
    operation: "join_room",
    target: "r",
    options: { user: expression("'bob'") },
  };
  const ordered = Promise.resolve(hub.write(order));
  await waits(others, 1);
  others.waiting[0].resolve();
  assert.deepEqual(await ordered, { recipients: 2, refused: 0 });
  assert.deepEqual(others.listened, { "u/bob": 2, "r/r": 1 });
  const failed = Promise.resolve(hub.write({ ...order, target: "s" }));
  await waits(others, 2);
  others.waiting[1].fail();
  await assert.rejects(failed, (error: ConnectorError) => {
    assert.match(error.message, /2 of 2 connections have not joined.*could not be listened to/);
    return !error.permanent;
  });
  // One has left, and one has closed, before the room is listened to.
  const crossed = Promise.resolve(hub.write({ ...order, target: "t" }));
  await waits(others, 3);
  await ask(clients[0], { type: "leave_room", room: "t" });
  clients[1].leave();
  others.waiting[2].resolve();
  await crossed;
  assert.deepEqual(others.listened, { "u/bob": 1, "r/r": 1 });
});

test("users: the first frame waits until the user is listened to", async () => {
  const { others, hub } = started();
  others.live = new Set(["*"]);
  const ada = await hub.open("ada");
  ada.tell({ type: "who", id: 1 });
  ada.tell({ type: "ping", id: 2 });
  await waits(others, 1);
  assert.equal(others.waiting[0].topic, "u/ada");
  // A ping is answered at once; without a user nothing waits.
  assert.deepEqual(ada.take(), []);
  const nobody = await hub.open("");
  await ask(nobody, { type: "who" });
  assert.deepEqual(await answers(ada, 1), [{ type: "pong", id: 2 }]);
  others.waiting[0].resolve();
  assert.equal((await answers(ada, 1))[0].type, "ack");
  ada.leave();
  assert.deepEqual(others.listened, {});

  const bob = await hub.open("bob");
  await waits(others, 2);
  bob.leave();
  others.waiting[1].resolve();
  await soon("nothing", () => others.counts.has("u/bob"));
  assert.deepEqual(others.listened, {});
});

test("users: a client whose user cannot be listened to is closed with 1013", async () => {
  const { others, hub } = started();
  others.live = new Set(["*"]);
  const ada = await hub.open("ada");
  ada.tell({ type: "who", id: 1 });
  await waits(others, 1);
  others.waiting[0].fail();
  await soon("the end", () => ada.ended !== undefined);
  assert.deepEqual(ada.ended, [1013, "the backplane cannot subscribe the user"]);
  assert.deepEqual([ada.take(), others.listened], [[], {}]);
  const { closed_backplane, closed_slow, connections } = hub.hub.counts();
  assert.deepEqual([closed_backplane, closed_slow, connections], [1, 0, 0]);
});

test("users: flows on disconnect run where those on connect have run, or will", async () => {
  const runs: string[] = [];
  const noted = flowThat(({ operation }) => {
    runs.push(operation);
    return { response: undefined, result: undefined };
  });
  const { others, hub } = started({ flows: { connect: [noted], disconnect: [noted] } });
  others.live = new Set(["*"]);
  const ends = (client: FakeClient) => soon("the end", () => client.ended !== undefined);
  // It cannot be listened to.
  const ada = await hub.open("ada");
  others.waiting[0].fail();
  await ends(ada);
  // It leaves by itself while it waits.
  const bob = await hub.open("bob");
  bob.leave();
  assert.deepEqual(runs, []);
  others.waiting[1].resolve();
  await soon("the flows", () => runs.length === 2);
  // It is closed later.
  const eve = await hub.open("eve");
  others.waiting[2].resolve();
  await soon("the flow", () => runs.length === 3);
  eve.leave();
  await soon("the flow", () => runs.length === 4);
  // The server shuts down while it waits.
  const max = await hub.open("max");
  await hub.hub.stop();
  const closed = hub.hub.closeClients(0);
  await ends(max);
  others.waiting[3].resolve();
  await closed;
  assert.deepEqual(runs, ["connect", "disconnect", "connect", "disconnect"]);
});

test("without other instances, and where everything is in force, a join waits for nothing", async () => {
  for (const others of [undefined, new FakeInstances()]) {
    const hub = hubWith(others);
    const ada = await hub.open("ada");
    ada.tell({ type: "join_room", room: "r", id: 1 });
    assert.equal(roomsOf(hub), 1);
    const order = { operation: "join_room", target: "s", options: { user: expression("'ada'") } };
    const done = hub.write(order);
    if (others === undefined) assert.deepEqual(done, { recipients: 1, refused: 0 });
    assert.equal(roomsOf(hub), 2);
    await done;
  }
});

test("expected joins: what leaves withdraws them, and a failed one takes only itself", () => {
  const joins = new ExpectedJoins<string>();
  const first = joins.expect("ada", "r");
  const second = joins.expect("ada", "r");
  joins.expect("ada", "s");
  joins.forget("ada", "r", first);
  assert.equal(joins.take("ada", "r"), true);
  assert.equal(joins.take("ada", "r"), false);
  joins.forget("ada", "r", second);
  joins.withdraw("ada", "s");
  joins.withdraw("bob", "s");
  assert.equal(joins.take("ada", "s"), false);
  joins.expect("ada", "t");
  joins.withdrawAll("ada");
  assert.equal(joins.take("ada", "t"), false);
});
