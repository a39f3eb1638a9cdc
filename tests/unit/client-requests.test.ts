/** The client library's requests and messages: answers, limits, what a cut does, nonsense. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { WeirError } from "../../src/client/error.ts";
import { connected, outcome, outcomeOf, play } from "../support/client.ts";
import { settle } from "../support/clock.ts";

test("client request: an ack resolves it with its data, an error rejects it", async () => {
  const { client, socket } = await connected();
  const first = client.request("place_order", { item: 7 });
  const second = client.request("look", null, { room: "a", messageId: "mine" });
  const third = client.request("nothing");
  const [one, two, three] = socket.take();
  assert.deepEqual(one, { type: "place_order", data: { item: 7 }, id: one.id });
  assert.deepEqual(two, {
    type: "look",
    data: null,
    room: "a",
    message_id: "mine",
    id: two.id,
  });
  assert.deepEqual(three, { type: "nothing", id: three.id });
  socket.receive({ type: "ack", id: three.id });
  socket.receive({ type: "ack", id: one.id, data: { id: "x" } });
  socket.receive({
    type: "error",
    id: two.id,
    code: "flow_failed",
    message: 'flow "look" failed (ref 8dc84b33)',
    details: [1],
    retry_after_ms: 5,
  });
  assert.deepEqual(await first, { id: "x" });
  assert.equal(await third, undefined);
  const error = await second.then(() => assert.fail(), (error: WeirError) => error);
  assert.equal(error.name, "WeirError");
  assert.deepEqual([error.code, error.ref, error.details, error.retryAfter], [
    "flow_failed",
    "8dc84b33",
    [1],
    5,
  ]);
  client.close();
});

test("client request: what is asked without a connection waits, in its order", async () => {
  const { client, platform } = await play();
  const first = client.request("a");
  client.send("b", { n: 1 });
  const second = client.request("c");
  platform.socket.accept();
  await settle();
  const frames = platform.socket.take();
  assert.deepEqual(frames.map(({ type }) => type), ["a", "b", "c"]);
  assert.equal(frames[1].id, undefined);
  platform.socket.receive({ type: "ack", id: frames[2].id }, { type: "ack", id: frames[0].id });
  assert.deepEqual(await Promise.all([first, second]), [undefined, undefined]);
  client.close();
});

test("client request: a refused connection takes nothing that waits with it", async () => {
  const { client, platform } = await play();
  const request = client.request("a");
  platform.socket.open();
  platform.socket.receive({ type: "error", code: "unavailable", message: "full" });
  platform.socket.end(4503);
  assert.equal(await outcome(request), "waits");
  const socket = await platform.accept();
  const [{ id }] = socket.take();
  socket.receive({ type: "ack", id, data: 1 });
  assert.equal(await request, 1);
  client.close();
});

test("client request: a cut rejects what was sent, and repeats what may be repeated", async () => {
  const { client, platform, socket } = await connected();
  const plain = client.request("a");
  const again = client.request("b", { n: 1 }, { retry: true });
  const [, frame] = socket.take();
  assert.match(String(frame.message_id), /^\d{10,40}-1$/);
  socket.end();
  assert.equal(await outcome(plain), "disconnected");
  assert.equal(await outcome(again), "waits");
  const next = await platform.accept();
  assert.deepEqual(next.take(), [frame]);
  next.receive({ type: "ack", id: frame.id, data: 2 });
  assert.equal(await again, 2);
  client.close();
});

test("client request: a message that is too large for the server is not repeated", async () => {
  for (const code of [1009, 4009]) {
    const { client, socket } = await connected();
    const large = client.request("a", "x", { retry: true });
    socket.end(code);
    assert.equal(await outcome(large), "disconnected");
    client.close();
  }
});

test("client request: timeout and signal, also while it waits", async () => {
  const { client, platform } = await play();
  const controller = new AbortController();
  const ends = [
    client.request("a", null, { timeout: 3000 }),
    client.request("b"),
    client.request("c", null, { timeout: Infinity }),
    client.request("d", null, { signal: controller.signal }),
  ].map(outcomeOf);
  const seen = async () => (await settle(), ends.map((end) => end()));
  await platform.clock.advance(3000);
  controller.abort(new Error("enough"));
  assert.deepEqual(await seen(), ["timeout", "waits", "waits", "Error: enough"]);
  await platform.clock.advance(7000);
  assert.deepEqual(await seen(), ["timeout", "timeout", "waits", "Error: enough"]);
  assert.equal(
    await outcome(client.request("e", null, { signal: AbortSignal.abort(new Error("was")) })),
    "Error: was",
  );
  // What has been given up is not sent any more.
  const socket = await platform.accept();
  assert.deepEqual(socket.take().map(({ type }) => type), ["c"]);
  client.close();
  assert.equal((await seen())[2], "closed");
});

test("client request: 1000 wait, or a million bytes", async () => {
  const { client, platform } = await play();
  const all = Array.from({ length: 1000 }, (_, n) => client.request("a", n, { timeout: Infinity }));
  assert.equal(await outcome(client.request("b")), "queue_full");
  assert.throws(() => client.send("c"), { code: "queue_full" });
  platform.socket.accept();
  await settle();
  const frames = platform.socket.take();
  assert.deepEqual(frames.map(({ data }) => data), Array.from({ length: 1000 }, (_, n) => n));
  for (const { id, data } of frames) platform.socket.receive({ type: "ack", id, data });
  assert.deepEqual(await Promise.all(all), frames.map(({ data }) => data));

  platform.socket.end();
  client.send("d", "x".repeat(900_000));
  assert.throws(() => client.send("e", "x".repeat(200_000)), { code: "queue_full" });
  client.send("f", "x".repeat(1000));
  // What was sent makes room. Letters count as their bytes in UTF-8.
  await platform.accept();
  platform.socket.end();
  client.send("g", "é".repeat(400_000));
  assert.throws(() => client.send("h", "é".repeat(100_000)), { code: "queue_full" });
  client.send("i", "é".repeat(99_000));
  client.close();
});

test("client request: data that is no JSON is refused, and nothing is sent", async () => {
  const { client, socket } = await connected();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  assert.equal(
    await outcome(client.request("a", circle)).then((text) => text.slice(0, 9)),
    "TypeError",
  );
  assert.throws(() => client.send("a", 1n), TypeError);
  assert.deepEqual(socket.take(), []);
  client.close();
});

test("client request: after close nothing is taken", async () => {
  const { client, socket } = await connected();
  const open = client.request("a", null, { retry: true });
  client.close();
  assert.equal(await outcome(open), "closed");
  assert.equal(await outcome(client.request("b")), "closed");
  assert.equal(await outcome(client.join("r")), "closed");
  assert.throws(() => client.send("c"), { code: "closed" });
  assert.equal(socket.closedWith, 1000);
});

test("client request: a final refusal rejects what waits with its reason", async () => {
  const { client, platform } = await play();
  const ends = [client.request("a"), client.join("r")].map(outcomeOf);
  platform.socket.open();
  platform.socket.receive({ type: "error", code: "banned", message: "no" });
  platform.socket.end(4403);
  await settle();
  assert.deepEqual(ends.map((end) => end()), ["banned", "banned"]);
  assert.equal(await outcome(client.request("b")), "banned");
});

test("client messages: to whom they go", async () => {
  const { client, socket } = await connected();
  const seen: unknown[] = [];
  const stop = client.on("message", (data, { room }) => seen.push(["message", data, room]));
  client.on("price", (data) => seen.push(["price", data]));
  client.on("dropped", (count) => seen.push(["dropped", count]));
  client.on("error", ({ code }) => seen.push(["error", code]));
  client.on("status", (status) => seen.push(["status", status]));
  socket.receive({ type: "message", data: 1 });
  socket.receive({ type: "message", data: 2, room: "unknown" });
  socket.receive({ type: "price", data: 3 });
  socket.receive({ type: "dropped", count: 4 });
  socket.receive({ type: "error", code: "rate_limited", message: "slow" });
  // A flow may call its frames so; it is no status of the client.
  socket.receive({ type: "status", data: 5 });
  stop();
  socket.receive({ type: "message", data: 6 });
  assert.deepEqual(seen, [
    ["message", 1, undefined],
    ["message", 2, "unknown"],
    ["price", 3],
    ["dropped", 4],
    ["error", "rate_limited"],
    ["message", 5, undefined],
  ]);
  client.close();
});

test("client messages: the same handler may be added twice, and is removed once", async () => {
  const { client, socket } = await connected();
  let count = 0;
  const handler = () => void count++;
  const stop = client.on("message", handler);
  client.on("message", handler);
  socket.receive({ type: "message" });
  stop();
  stop();
  socket.receive({ type: "message" });
  assert.equal(count, 3);
  client.close();
});

test("client messages: no nonsense of a server breaks a client", async () => {
  const { client, socket } = await connected();
  const request = client.request("a", null, { timeout: Infinity });
  const room = client.join("r", { presence: true });
  const frames = socket.take();
  const values = [null, true, 0, -1, 1e308, "", "x", [], [null], {}, { a: 1 }];
  const types = ["ack", "error", "pong", "message", "presence", "resync", "dropped", "x", "status"];
  for (const text of ["", "{", "null", "[]", "1", '"x"', "{}", '{"type":1}', '{"type":{}}', "\0"]) {
    socket.receive(text);
  }
  for (const data of [new ArrayBuffer(2), undefined, null, 7, {}]) socket.receiveRaw(data);
  for (const type of types) {
    for (const value of values) {
      for (
        const field of [
          ...["id", "data", "room", "code", "message", "details", "retry_after_ms", "count"],
          ...["members", "joined", "left", "changed", "offset", "epoch", "recovered", "ack"],
        ]
      ) {
        for (const where of [undefined, "r"]) socket.receive({ type, room: where, [field]: value });
      }
    }
    socket.receive({ type, toString: 1, message: { toString: 1 }, code: { toString: 1 } });
    socket.receive(`{"type":"${type}","__proto__":{"id":1},"constructor":1}`);
  }
  assert.equal(client.status, "open");
  assert.equal(await outcome(request), "waits");
  socket.receive({ type: "ack", id: frames[0].id, data: 1 });
  socket.receive({ type: "ack", id: frames[1].id, epoch: 5, offset: "x", recovered: {} });
  assert.equal(await request, 1);
  assert.deepEqual((await room).position, undefined);
  client.close();
});

test("client messages: a handler that throws keeps none from its message", async () => {
  const { client, socket } = await connected();
  const seen: unknown[] = [];
  // The error itself is the runtime's to report; a test cannot let it be uncaught.
  const { reject } = Promise;
  const reported: unknown[] = [];
  Promise.reject = ((reason: unknown) => void reported.push(reason)) as unknown as typeof reject;
  try {
    client.on("message", () => {
      throw new Error("mine");
    });
    client.on("message", (data) => seen.push(data));
    socket.receive({ type: "message", data: 1 });
  } finally {
    Promise.reject = reject;
  }
  assert.deepEqual(seen, [1]);
  assert.deepEqual(reported.map(String), ["Error: mine"]);
  client.close();
});
