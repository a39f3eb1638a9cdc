/** The client library's rooms: joined again, in order, with presence and history. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Room } from "../../src/client/api.ts";
import type { JoinOptions } from "../../src/client/seat.ts";
import { connected, outcome, outcomeOf, type Play, play } from "../support/client.ts";
import { settle } from "../support/clock.ts";
import type { FakeSocket } from "../support/fake-platform.ts";

/** Answers the only frame that was sent, which is a join. */
function answerJoin(socket: FakeSocket, more: object = {}): unknown {
  const [{ id, ...frame }, ...others] = socket.take();
  assert.deepEqual(others, []);
  socket.receive({ type: "ack", id, ...more });
  return frame;
}

const ANYWHERE = { epoch: "e", offset: 41 };

async function joined(
  options?: JoinOptions,
  ack: object = ANYWHERE,
): Promise<Play & { readonly socket: FakeSocket; readonly room: Room }> {
  const made = await connected();
  const room = made.client.join("r", options);
  answerJoin(made.socket, ack);
  return { ...made, room: await room };
}

/** What a room tells, in short. */
function listen(room: Room): unknown[] {
  const seen: unknown[] = [];
  room.on("message", (data) => seen.push(data));
  room.on("resync", () => seen.push("resync"));
  room.on("error", ({ code }) => seen.push(`error ${code}`));
  room.on("price", (data) => seen.push(["price", data]));
  return seen;
}

test("client room: what the join asks", async () => {
  const cases: [JoinOptions | undefined, object][] = [
    [undefined, { history: true }],
    [{ presence: true }, { presence: true, history: true }],
    [{ presence: { status: "busy" }, history: false }, { presence: { status: "busy" } }],
    [{ history: { epoch: "e", offset: 7 } }, { history: { epoch: "e", offset: 7 } }],
  ];
  for (const [options, expected] of cases) {
    const { client, socket } = await connected();
    client.join("r", options).catch(() => {});
    assert.deepEqual(answerJoin(socket), {
      type: "join_room",
      room: "r",
      resync: true,
      ...expected,
    });
    client.close();
  }
});

test("client room: its messages, and none of another's", async () => {
  const { client, socket, room } = await joined();
  const others: unknown[] = [];
  client.on("message", (data) => others.push(data));
  // What comes before there is a handler is not lost.
  socket.receive({ type: "message", room: "r", data: 1 });
  const seen = listen(room);
  socket.receive({ type: "message", room: "r", data: 2 });
  await settle();
  socket.receive({ type: "price", room: "r", data: 3 }, { type: "message", room: "q", data: 4 });
  socket.receive({ type: "resync", room: "r" });
  assert.deepEqual(seen, [1, 2, ["price", 3], "resync"]);
  assert.deepEqual(others, [4]);
  assert.equal(room.name, "r");
  client.close();
});

test("client room: a loop ends when it is left, and goes on over a cut", async () => {
  const { client, platform, socket, room } = await joined();
  const seen: unknown[] = [];
  const loop = (async () => {
    for await (const data of room) seen.push(data);
  })();
  socket.receive({ type: "message", room: "r", data: 1, offset: 42 });
  await settle();
  socket.end();
  const next = await platform.accept();
  assert.deepEqual(answerJoin(next, { ...ANYWHERE, offset: 42, recovered: true }), {
    type: "join_room",
    room: "r",
    resync: true,
    history: { epoch: "e", offset: 42 },
  });
  next.receive({ type: "message", room: "r", data: 1, offset: 42 });
  next.receive({ type: "message", room: "r", data: 2, offset: 43 });
  next.receive({ type: "message", room: "r", data: 3, offset: 47 });
  await settle();
  const left = room.leave();
  answerJoin(next);
  await left;
  await loop;
  assert.deepEqual(seen, [1, 2, 3]);
  next.receive({ type: "message", room: "r", data: 4, offset: 48 });
  await settle();
  assert.deepEqual(seen, [1, 2, 3]);
  client.close();
});

test("client room: a loop that is broken off leaves the others alone", async () => {
  const { client, socket, room } = await joined();
  const seen = listen(room);
  socket.receive({ type: "message", room: "r", data: 1 });
  await settle();
  const first = (async () => {
    for await (const data of room) return data;
  })();
  socket.receive({ type: "message", room: "r", data: 2 }, { type: "message", room: "r", data: 3 });
  assert.equal(await first, 2);
  assert.deepEqual(seen, [1, 2, 3]);
  client.close();
});

test("client room: resync where something was missed, and nowhere else", async () => {
  const cases: [string, object, object, unknown[]][] = [
    ["recovered", ANYWHERE, { epoch: "e", offset: 41, recovered: true }, []],
    ["not recovered", ANYWHERE, { epoch: "f", offset: 7, recovered: false }, ["resync"]],
    ["without history", {}, {}, ["resync"]],
  ];
  for (const [name, first, second, expected] of cases) {
    const { client, platform, socket, room } = await joined(undefined, first);
    const seen = listen(room);
    assert.deepEqual(seen, []);
    socket.end();
    const next = await platform.accept();
    answerJoin(next, second);
    await settle();
    assert.deepEqual(seen, expected, name);
    client.close();
  }
});

test("client room: a position from before, which is gone, is told to the first handlers", async () => {
  const { client, room } = await joined({ history: { epoch: "old", offset: 3 } }, {
    ...ANYWHERE,
    recovered: false,
  });
  const seen = listen(room);
  await settle();
  assert.deepEqual(seen, ["resync"]);
  assert.deepEqual(room.position, ANYWHERE);
  client.close();
});

test("client room: offsets", async () => {
  const { client, socket, room } = await joined();
  const seen = listen(room);
  const receive = (offset: unknown, epoch?: unknown) =>
    socket.receive({ type: "message", room: "r", data: offset, offset, epoch });
  for (const offset of [42, 42, 41, 44]) receive(offset);
  assert.deepEqual(room.position, { epoch: "e", offset: 44 });
  receive(1, "f");
  receive(1, "f");
  receive(2);
  await settle();
  assert.deepEqual(seen, [42, 44, 1, 2]);
  assert.deepEqual(room.position, { epoch: "f", offset: 2 });
  client.close();
});

test("client room: presence", async () => {
  const { client, socket, room } = await joined({ presence: true });
  const changes: number[] = [];
  room.on("presence", ({ count }) => changes.push(count));
  await settle();
  const tell = (frame: object) => socket.receive({ type: "presence", room: "r", ...frame });
  const names = () => room.members.map(({ user_id, key }) => user_id ?? `key ${key}`);
  const ada = { user_id: "ada", connections: 1 };
  const stranger = { key: "ada", connections: 1 };
  tell({ count: 2, members: [ada, stranger] });
  assert.deepEqual(names(), ["ada", "key ada"]);
  const bob = { user_id: "bob", connections: 1 };
  tell({ count: 2, joined: [bob], left: [{ key: "ada" }], changed: [{ ...ada, connections: 2 }] });
  assert.deepEqual(room.members, [{ ...ada, connections: 2 }, bob]);
  tell({ count: 5000 });
  assert.deepEqual([room.members, room.count], [[], 5000]);
  tell({ count: 1, members: [bob] });
  assert.deepEqual([names(), room.count, changes], [["bob"], 1, [2, 2, 5000, 1]]);
  client.close();
});

test("client room: what it tells of itself is told again after a cut", async () => {
  const { client, platform, socket, room } = await joined({ presence: { status: "reading" } });
  const told = room.setPresence({ status: "typing" });
  const [{ id, ...frame }] = socket.take();
  assert.deepEqual(frame, { type: "presence", room: "r", data: { status: "typing" } });
  socket.receive({ type: "ack", id });
  await told;
  const refused = room.setPresence({ status: 7 });
  const [{ id: second }] = socket.take();
  socket.receive({ type: "error", id: second, code: "validation_failed", message: "no" });
  assert.equal(await outcome(refused), "validation_failed");
  socket.end();
  const next = await platform.accept();
  const { presence } = answerJoin(next, ANYWHERE) as { readonly presence: unknown };
  assert.deepEqual(presence, { status: "typing" });
  client.close();
});

test("client room: two joins are one membership, and the last one leaves", async () => {
  const { client, socket, room } = await joined({ history: false }, {});
  const same = await client.join("r", { history: false });
  assert.deepEqual(socket.take(), []);
  const more = client.join("r", { presence: true });
  assert.deepEqual(answerJoin(socket, ANYWHERE), {
    type: "join_room",
    room: "r",
    resync: true,
    presence: true,
    history: true,
  });
  const third = await more;
  const seen = [room, same, third].map(listen);
  await settle();
  socket.receive({ type: "message", room: "r", data: 1 });
  await room.leave();
  await room.leave();
  await same.leave();
  socket.receive({ type: "message", room: "r", data: 2 });
  assert.deepEqual(seen, [[1], [1], [1, 2]]);
  assert.deepEqual(socket.take(), []);
  const left = third.leave();
  assert.deepEqual(answerJoin(socket), { type: "leave_room", room: "r" });
  await left;
  client.close();
});

test("client room: refusals of the first join", async () => {
  for (const code of ["room_forbidden", "flow_failed", "too_many_rooms", "mine"]) {
    const { client, platform, socket } = await connected();
    const room = client.join("r");
    const [{ id }] = socket.take();
    socket.receive({ type: "error", id, code, message: "no" });
    assert.equal(await outcome(room), code);
    // It does not come back on the next connection.
    socket.end();
    assert.deepEqual((await platform.accept()).take(), []);
    client.close();
  }
});

test("client room: refusals of a later join", async () => {
  for (const [code, again] of [["room_forbidden", false], ["flow_failed", true]] as const) {
    const { client, platform, socket, room } = await joined();
    const seen = listen(room);
    const loop = (async () => {
      for await (const _ of room);
    })();
    socket.end();
    const next = await platform.accept();
    const end = outcomeOf(loop);
    const [{ id }] = next.take();
    next.receive({ type: "error", id, code, message: "no" });
    await platform.clock.advance(5000);
    assert.equal(next.take().length, again ? 1 : 0, code);
    assert.deepEqual(seen, again ? [] : [`error ${code}`]);
    assert.equal(end(), again ? "waits" : code);
    client.close();
    await settle();
    assert.equal(end(), again ? "undefined" : code);
  }
});

test("client room: a laptop that was closed for an hour shows what it has missed", async () => {
  const { client, platform, socket, room } = await joined({ presence: true });
  const seen = listen(room);
  const ada = { user_id: "ada", connections: 1 };
  socket.receive({ type: "presence", room: "r", count: 1, members: [ada] });
  const order = client.request("order", 1, { retry: true, timeout: Infinity });
  const [{ message_id }] = socket.take();
  await platform.clock.jump(3_600_000);
  await platform.clock.advance(5000);
  assert.equal(client.status, "waiting");
  const next = await platform.accept();
  const [join, again] = next.take();
  assert.deepEqual(join.history, ANYWHERE);
  assert.deepEqual([again.type, again.message_id], ["order", message_id]);
  next.receive({ type: "ack", id: join.id, ...ANYWHERE, recovered: true });
  next.receive({ type: "presence", room: "r", count: 0, members: [] });
  for (const offset of [42, 43]) {
    next.receive({ type: "message", room: "r", data: offset, offset });
  }
  next.receive({ type: "ack", id: again.id, data: "first" });
  assert.equal(await order, "first");
  await settle();
  assert.deepEqual([seen, room.members, room.count], [[42, 43], [], 0]);
  client.close();
});

test("client room: a cut before the first answer is asked again", async () => {
  const { client, platform, socket } = await connected();
  const room = client.join("r", { timeout: 60_000 });
  const [first] = socket.take();
  socket.end();
  const next = await platform.accept();
  // The answer on the former connection counts for nothing.
  socket.receive({ type: "ack", id: first.id });
  assert.equal(await outcome(room), "waits");
  answerJoin(next, ANYWHERE);
  const seen = listen(await room);
  await settle();
  assert.deepEqual(seen, []);
  client.close();
});

test("client room: a join that is given up leaves", async () => {
  const { client, platform, socket } = await connected();
  const controller = new AbortController();
  const ends = [
    client.join("a", { timeout: 1000 }),
    client.join("b", { signal: controller.signal }),
    client.join("c", { signal: AbortSignal.abort(new Error("was")) }),
  ].map(outcomeOf);
  controller.abort(new Error("enough"));
  await platform.clock.advance(1000);
  assert.deepEqual(ends.map((end) => end()), ["timeout", "Error: enough", "Error: was"]);
  const frames = socket.take().map(({ type, room }) => `${type} ${room}`);
  assert.deepEqual(frames, ["join_room a", "join_room b", "leave_room b", "leave_room a"]);
  client.close();
});

test("client room: a join waits for its connection for hours", async () => {
  const { client, platform } = await play();
  const room = outcomeOf(client.join("r").then(({ name }) => name));
  await platform.clock.advance(3 * 3_600_000);
  assert.equal(room(), "waits");
  answerJoin(await platform.accept(), ANYWHERE);
  await settle();
  assert.equal(room(), '"r"');
  client.close();
});

test("client room: leaving without a connection is done at once", async () => {
  const { client, platform, socket, room } = await joined();
  socket.end();
  await room.leave();
  assert.deepEqual((await platform.accept()).take(), []);
  const again = client.join("r");
  answerJoin(platform.socket, ANYWHERE);
  const cut = (await again).leave();
  platform.socket.end();
  await cut;
  const last = client.join("r");
  answerJoin(await platform.accept(), ANYWHERE);
  const closed = (await last).leave();
  client.close();
  await closed;
});

test("client room: rooms are joined before what waits is sent", async () => {
  const { client, platform, socket } = await joined();
  socket.end();
  client.send("say", 1);
  const next = await platform.accept();
  assert.deepEqual(next.take().map(({ type }) => type), ["join_room", "say"]);
  client.close();
});

test("client room: who does not read gets resync, not memory without end", async () => {
  const { client, socket, room } = await joined(undefined, {});
  const message = JSON.stringify({ type: "message", room: "r", data: 1 });
  for (let n = 0; n <= 10_000; n++) socket.receive(message);
  const seen = listen(room);
  await settle();
  assert.deepEqual(seen, ["resync"]);
  const loop = room[Symbol.asyncIterator]();
  const first = loop.next();
  for (let n = 0; n <= 10_002; n++) socket.receive(message);
  await first;
  assert.equal(seen.filter((one) => one === "resync").length, 2);
  await loop.return?.();
  client.close();
});
