/** The client library where things cross: a join and a leave, two joins, a handler in the middle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Room } from "../../src/client/api.ts";
import { connected, outcome, outcomeOf, play } from "../support/client.ts";
import { settle } from "../support/clock.ts";
import type { FakeSocket } from "../support/fake-platform.ts";

const SECOND = 1000;

/** Refuses the frame with this id. */
function refuse(socket: FakeSocket, id: unknown, code: string, more: object = {}): void {
  socket.receive({ type: "error", id, code, message: "no", ...more });
}

/** The messages that a room shows from now on. */
function messagesOf(room: Room): unknown[] {
  const seen: unknown[] = [];
  room.on("message", (data) => seen.push(data));
  return seen;
}

test("client races: the refusal of a join that was given up does not end the next one", async () => {
  const { client, socket } = await connected();
  const controller = new AbortController();
  const first = outcomeOf(client.join("r", { signal: controller.signal }));
  controller.abort(new Error("enough"));
  const second = client.join("r");
  const [one, , two] = socket.take();
  refuse(socket, one.id, "flow_failed");
  socket.receive({ type: "ack", id: two.id });
  const seen = messagesOf(await second);
  socket.receive({ type: "message", room: "r", data: 1 });
  await settle();
  assert.deepEqual([first(), seen], ["Error: enough", [1]]);
  client.close();
});

test("client races: a room that was lost and is left does not end the one joined since", async () => {
  const { client, platform, socket } = await connected();
  const joining = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id });
  const old = await joining;
  socket.end();
  const next = await platform.accept();
  refuse(next, next.take()[0].id, "room_forbidden");
  const again = client.join("r");
  next.receive({ type: "ack", id: next.take()[0].id });
  const seen = messagesOf(await again);
  await old.leave();
  assert.deepEqual(next.take(), []);
  next.receive({ type: "message", room: "r", data: 1 });
  await settle();
  assert.deepEqual(seen, [1]);
  client.close();
});

test("client races: a handler of the refusal may join anew", async () => {
  const { client, platform, socket } = await connected();
  const joining = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id });
  const room = await joining;
  let again: Promise<Room> | undefined;
  room.on("error", () => again = client.join("r"));
  await settle();
  socket.end();
  const next = await platform.accept();
  refuse(next, next.take()[0].id, "room_forbidden");
  next.receive({ type: "ack", id: next.take()[0].id });
  assert.ok(again);
  const seen = messagesOf(await again);
  await room.leave();
  next.receive({ type: "message", room: "r", data: 1 });
  await settle();
  assert.deepEqual([next.take(), seen], [[], [1]]);
  client.close();
});

test("client races: a second join with `presence: true` keeps what the first one tells", async () => {
  const { client, platform, socket } = await connected();
  const first = client.join("r", { presence: { status: "busy" } });
  socket.receive({ type: "ack", id: socket.take()[0].id });
  await first;
  await client.join("r", { presence: true });
  assert.deepEqual(socket.take(), []);
  socket.end();
  const next = await platform.accept();
  assert.deepEqual(next.take()[0].presence, { status: "busy" });
  client.close();
});

test("client races: what comes before the answer to a second join is shown once", async () => {
  const { client, socket } = await connected();
  const say = (offset: number) =>
    socket.receive({ type: "message", room: "r", data: offset, offset });
  const first = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id, epoch: "e", offset: 41 });
  const seen = messagesOf(await first);
  const second = client.join("r", { presence: true });
  const [{ id, history }] = socket.take();
  assert.deepEqual(history, { epoch: "e", offset: 41 });
  say(42);
  socket.receive({ type: "ack", id, epoch: "e", offset: 41, recovered: true });
  say(42);
  say(43);
  await second;
  await settle();
  assert.deepEqual(seen, [42, 43]);
  client.close();
});

test("client races: a second join that is refused leaves the first one alone", async () => {
  // The first one is there already, or on its way.
  for (const waits of [false, true]) {
    const { client, platform, socket } = await connected();
    const first = client.join("r", { presence: { status: "busy" } });
    const [{ id: one }] = socket.take();
    if (!waits) {
      socket.receive({ type: "ack", id: one });
      await first;
    }
    const second = outcomeOf(client.join("r", { presence: { status: 7 } }));
    const [{ id: two }] = socket.take();
    if (waits) socket.receive({ type: "ack", id: one });
    refuse(socket, two, "validation_failed");
    await settle();
    assert.equal(second(), "validation_failed");
    const [{ id: three, presence }] = socket.take();
    assert.deepEqual(presence, { status: "busy" });
    socket.receive({ type: "ack", id: three });
    const seen = messagesOf(await first);
    socket.receive({ type: "message", room: "r", data: 1 });
    await settle();
    assert.deepEqual(seen, [1]);
    socket.end();
    const next = await platform.accept();
    assert.deepEqual(next.take().map(({ presence }) => presence), [{ status: "busy" }]);
    client.close();
  }
});

test("client races: a position that a room which is joined already cannot go on from is resync", async () => {
  const { client, socket } = await connected();
  const first = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id, epoch: "e", offset: 41 });
  const told: string[] = [];
  (await first).on("resync", () => told.push("first"));
  const room = await client.join("r", { history: { epoch: "e", offset: 30 } });
  room.on("resync", () => told.push("second"));
  await settle();
  assert.deepEqual(told, ["second"]);
  assert.deepEqual(room.position, { epoch: "e", offset: 41 });
  client.close();
});

test("client races: what a handler of `open` sends comes after the rooms and what waits", async () => {
  const { client, platform } = await play();
  client.on("status", (status) => status === "open" && client.send("last"));
  client.send("first");
  client.join("r").catch(() => {});
  platform.socket.accept();
  await settle();
  assert.deepEqual(platform.socket.take().map(({ type }) => type), ["join_room", "first", "last"]);
  client.close();
});

test("client races: a refused connection is told by the status alone", async () => {
  const { client, platform, statuses } = await play();
  const errors: string[] = [];
  client.on("error", ({ code }) => errors.push(code));
  platform.socket.open();
  refuse(platform.socket, undefined, "unavailable");
  platform.socket.end(4503);
  assert.deepEqual([statuses, errors], [["waiting unavailable"], []]);
  client.close();
});

test("client races: a room that cannot be joined again is tried within a minute, and not after the close", async () => {
  for (const wait of [0, 90, 1e300, -1e300, "soon", null]) {
    const { client, platform, socket } = await connected();
    const room = client.join("r");
    socket.receive({ type: "ack", id: socket.take()[0].id });
    await room;
    socket.end();
    const next = await platform.accept();
    next.answersPings = true;
    refuse(next, next.take()[0].id, "rate_limited", { retry_after_ms: wait });
    await platform.clock.advance(65 * SECOND);
    const [{ type, id }] = next.take();
    assert.equal(type, "join_room", `${wait}`);
    refuse(next, id, "rate_limited", { retry_after_ms: wait });
    client.close();
    assert.equal(platform.clock.waiting, 0, `${wait}`);
  }
});

test("client races: a room that is left while it waits to be joined again is not joined", async () => {
  const { client, platform, socket } = await connected();
  const joining = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id });
  const room = await joining;
  socket.end();
  const next = await platform.accept();
  refuse(next, next.take()[0].id, "rate_limited");
  const left = room.leave();
  const [{ type, id }] = next.take();
  assert.equal(type, "leave_room");
  socket.receive({ type: "ack", id });
  next.receive({ type: "ack", id });
  await left;
  await platform.clock.advance(10 * SECOND);
  assert.deepEqual(next.take(), []);
  client.close();
});

test("client races: a room that is left as the client closes rejects nothing", async () => {
  const { client, socket } = await connected();
  const joining = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id });
  const left = (await joining).leave();
  client.close();
  assert.equal(await outcome(left), "undefined");
});

test("client races: a frame of a room may have any type", async () => {
  const { client, socket } = await connected();
  const joining = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id });
  const room = await joining as Room<{ rooms: { r: { frames: Record<string, unknown> } } }, "r">;
  const seen: unknown[] = [];
  const loop = (async () => {
    for await (const data of room) seen.push(data);
  })();
  for (const type of ["end", "status", "close", "constructor", "then"]) {
    room.on(type, (data) => seen.push(`${type} ${data}`));
  }
  for (const type of ["end", "status", "close", "constructor", "then"]) {
    socket.receive({ type, room: "r", data: 1 });
  }
  await settle();
  socket.receive({ type: "message", room: "r", data: 2 });
  await settle();
  client.close();
  await loop;
  assert.deepEqual(seen, ["end 1", "status 1", "close 1", "constructor 1", "then 1", 2]);
});

test("client races: a request that was given up after it was sent is not sent again", async () => {
  const { client, platform, socket } = await connected();
  const controller = new AbortController();
  const options = { retry: true, signal: controller.signal };
  const request = outcomeOf(client.request("a", 1, options));
  const [{ id }] = socket.take();
  controller.abort(new Error("enough"));
  await settle();
  assert.equal(request(), "Error: enough");
  // An answer that comes late is nobody's.
  socket.receive({ type: "ack", id, data: 1 });
  socket.end();
  assert.deepEqual((await platform.accept()).take(), []);
  client.close();
});

test("client races: handlers may close, leave and ask in the middle of everything", async () => {
  const { client, platform, socket } = await connected();
  const joins = ["a", "b"].map((name) => client.join(name));
  for (const { id } of socket.take()) socket.receive({ type: "ack", id });
  const [a, b] = await Promise.all(joins);
  const seen: unknown[] = [];
  a.on("message", (data) => {
    seen.push(data);
    a.leave().catch(() => {});
  });
  b.on("message", () => client.close());
  await settle();
  socket.receive({ type: "message", room: "a", data: 1 }, { type: "message", room: "a", data: 2 });
  assert.deepEqual(seen, [1]);
  const request = client.request("x");
  const loop = (async () => {
    const read: unknown[] = [];
    for await (const data of b) read.push(data);
    return read;
  })();
  await settle();
  socket.receive({ type: "message", room: "b", data: 3 });
  assert.equal(await outcome(request), "closed");
  assert.deepEqual(await loop, [3]);
  assert.equal(platform.clock.waiting, 0);
});

test("client races: a loop that begins after the end ends, or throws what ended the room", async () => {
  const { client, platform, socket } = await connected();
  const joins = ["a", "b", "c"].map((name) => client.join(name));
  for (const { id } of socket.take()) socket.receive({ type: "ack", id });
  const [left, refused, closed] = await Promise.all(joins);
  const read = async (room: Room) => {
    for await (const data of room) return data;
    return "end";
  };
  const leaving = left.leave();
  socket.receive({ type: "ack", id: socket.take()[0].id });
  await leaving;
  socket.end();
  const next = await platform.accept();
  const [{ id, room }, other] = next.take();
  assert.equal(room, "b");
  refuse(next, id, "room_forbidden");
  next.receive({ type: "ack", id: other.id });
  client.close();
  assert.equal(await read(left), "end");
  assert.equal(await outcome(read(refused)), "room_forbidden");
  assert.equal(await outcome(read(closed)), '"end"');
});

test("client races: a room that is left at once shows nothing of what came before", async () => {
  const { client, socket } = await connected();
  const joining = client.join("r");
  socket.receive({ type: "ack", id: socket.take()[0].id });
  socket.receive({ type: "message", room: "r", data: 1 });
  const room = await joining;
  const seen = messagesOf(room);
  void room.leave();
  await settle();
  assert.deepEqual(seen, []);
  for await (const message of room) assert.fail(`shown: ${message}`);
  client.close();
});
