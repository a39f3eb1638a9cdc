import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import {
  deadLetterFields,
  fieldsOf,
  readEntry,
} from "../../src/connectors/mq/drivers/redis/server/entry.ts";
import { Places } from "../../src/connectors/mq/drivers/redis/server/places.ts";
import type { Holding, Stream } from "../../src/connectors/mq/drivers/redis/server/stream.ts";
import { Waiting } from "../../src/connectors/mq/drivers/redis/server/waiting.ts";
import type { Delivery } from "../../src/messaging/mod.ts";
import { ManualClock } from "../support/clock.ts";

const bytes = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text));

test("an entry is its body and its headers, or its fields", () => {
  const read = (...texts: readonly string[]) => {
    const found = readEntry("s", "1-0", bytes(...texts));
    return "reason" in found ? found.reason : [found.body, found.metadata.headers];
  };
  assert.deepEqual(read("body", '{"a":1}'), [{ a: 1 }, {}]);
  assert.deepEqual(read("h.a", "1", "body", "2", "h.", "3"), [2, { a: "1", "": "3" }]);
  assert.deepEqual(read("body", "{"), "its body is not JSON");
  assert.deepEqual(read("body", "{", "more", ""), [{ body: "{", more: "" }, {}]);
  assert.deepEqual(read("h.a", "1"), [{}, { a: "1" }]);
  assert.deepEqual(read(), [{}, {}]);
  // Other programs write a trace beside the body.
  assert.deepEqual(read("body", "1", "traceparent", "t"), [1, { traceparent: "t" }]);
  assert.deepEqual(read("a", "1", "tracestate", "t"), [{ a: "1" }, { tracestate: "t" }]);
  // The last one of two fields with one name.
  assert.deepEqual(read("a", "1", "a", "2"), [{ a: "2" }, {}]);
  const strange = readEntry("s", "1-0", bytes("__proto__", "1", "h.__proto__", "2"));
  assert.ok("body" in strange);
  assert.deepEqual(Object.keys(strange.body as object), ["__proto__"]);
  assert.deepEqual(Object.keys(strange.metadata.headers as object), ["__proto__"]);
  assert.deepEqual(strange.metadata._id, "1-0");
});

test("a dead letter has the fields that it had, and why it is one", () => {
  const why = { reason: "r", flows: ["f", "g"], retries: 2, time: 0 };
  const fields = bytes("body", "1", "h.a", "b", "h.x-weir-reason", "an earlier one");
  const found = deadLetterFields("orders", fields, why).map(String);
  assert.deepEqual(found, [
    ...["body", "1", "h.a", "b"],
    ...["h.x-weir-routing-key", "orders", "h.x-weir-reason", "r", "h.x-weir-flow", "f, g"],
    ...["h.x-weir-retries", "2", "h.x-weir-time", "1970-01-01T00:00:00.000Z"],
  ]);
  const binary = Buffer.from([0xff, 0]);
  assert.equal(deadLetterFields("s", [Buffer.from("a"), binary], why)[1], binary);
});

test("headers are fields", () => {
  assert.deepEqual(fieldsOf({ a: "b", n: 1, list: [null], none: undefined }), [
    ...["h.a", "b", "h.n", "1", "h.list", "[null]", "h.none", "null"],
  ]);
});

test("a place is taken until its delivery is handled; what waits is given back at the end", async () => {
  const ends: (() => void)[] = [];
  const handed: string[] = [];
  const back: string[] = [];
  let frees = 0;
  const delivery = (name: string) =>
    ({ routingKey: name, requeue: () => back.push(name) }) as unknown as Delivery;
  const places = new Places(2, ({ routingKey }) => {
    handed.push(routingKey);
    if (routingKey === "quick") return;
    return new Promise<void>((resolve) => ends.push(resolve));
  }, () => frees++);
  for (const name of ["quick", "a", "b", "c", "d"]) places.take(delivery(name));
  assert.deepEqual([handed, places.free], [["quick", "a", "b"], 0]);
  ends[0]();
  await Promise.resolve();
  assert.deepEqual([handed.at(-1), places.free, frees], ["c", 0, 1]);
  places.close();
  places.take(delivery("late"));
  assert.deepEqual(back, ["d", "late"]);
  for (const end of ends) end();
  await Promise.resolve();
  assert.deepEqual([places.free, frees], [2, 3]);
});

test("entries wait for their time, and are taken in its order", async () => {
  const clock = new ManualClock();
  let told = 0;
  const waiting = new Waiting(clock, () => told++);
  const stream = {} as Stream;
  const hold = (id: string): Holding => ({ id, retries: 1, lost: false });
  const [a, b, c, d] = ["a", "b", "c", "d"].map(hold);
  waiting.add({ stream, holding: a }, 20);
  waiting.add({ stream, holding: b }, 10);
  waiting.now({ stream, holding: c });
  waiting.add({ stream, holding: d }, 100);
  assert.deepEqual([waiting.size, waiting.isDue, told], [4, true, 0]);
  await clock.advance(30);
  assert.equal(told, 2);
  b.lost = true;
  const ids = (count: number) => waiting.take(count).map(({ holding }) => holding.id);
  assert.deepEqual([ids(1), ids(5), waiting.isDue, waiting.size], [["c"], ["a"], false, 1]);
  assert.deepEqual(waiting.clear().map(({ holding }) => holding.id), ["d"]);
  await clock.advance(1000);
  assert.deepEqual([told, waiting.size], [2, 0]);
});
