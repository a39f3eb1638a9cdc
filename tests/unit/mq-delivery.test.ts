import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { AsyncMessage } from "rabbitmq-client";
import {
  deadLetterCopy,
  readMessage,
  retryCopy,
} from "../../src/connectors/mq/drivers/rabbitmq/message.ts";
import type { GivenUp } from "../../src/messaging/mod.ts";

/** Why a message was given up, at the beginning of 1970. */
function why(reason: string, retries: number): GivenUp {
  return { reason, flows: [], retries, time: 0 };
}

function message(rest: Partial<AsyncMessage>): AsyncMessage {
  return {
    consumerTag: "c",
    deliveryTag: 1,
    redelivered: false,
    exchange: "events",
    routingKey: "order.created",
    contentType: "application/json",
    body: Buffer.from('{"n":1}'),
    ...rest,
  };
}

test("a message that waited for a retry is unchanged", () => {
  const original = message({ headers: { mine: 1 }, messageId: "m1", priority: 4 });
  const first = readMessage(original, "work");
  assert.equal(first.retries, 0);
  const { envelope, body } = retryCopy(first, "because", 1);
  const again = readMessage(
    message({ ...envelope, body, exchange: "", routingKey: "work" }),
    "work",
  );
  assert.equal(again.retries, 1);
  assert.deepEqual([again.routingKey, again.exchange], ["order.created", "events"]);
  assert.ok("body" in again.content);
  assert.deepEqual(again.content.body, { n: 1 });
  assert.equal(again.content.metadata.headers.mine, 1);
  assert.equal(Object.hasOwn(again.content.metadata.headers, "x-weir-retry"), false);
  assert.equal(again.content.metadata.properties.message_id, "m1");
  assert.equal(again.content.metadata.properties.priority, 4);
});

test("a dead letter keeps the headers that it came with while it waits for a retry", () => {
  const dead = deadLetterCopy(
    readMessage(message({ headers: { mine: 1 } }), "work"),
    why("first", 2),
  );
  const letter = {
    mine: 1,
    "x-weir-routing-key": "order.created",
    "x-weir-exchange": "events",
    "x-weir-reason": "first",
    "x-weir-retries": 2,
    "x-weir-time": "1970-01-01T00:00:00.000Z",
  };
  const ways = [
    { arrival: { exchange: "", routingKey: "dead" }, exchange: "events" },
    { arrival: { exchange: "morgue", routingKey: "order.created" }, exchange: "morgue" },
  ];
  for (const { arrival, exchange } of ways) {
    let delivery = readMessage(message({ ...dead.envelope, ...arrival, body: dead.body }), "dead");
    for (let retries = 0; retries < 3; retries++) {
      assert.ok("body" in delivery.content);
      assert.deepEqual(delivery.content.metadata.headers, letter);
      assert.deepEqual([delivery.routingKey, delivery.exchange], ["order.created", exchange]);
      assert.equal(delivery.retries, retries);
      const { envelope, body } = retryCopy(delivery, "second", retries + 1);
      // The broker notes that the message has left its retry queue.
      const headers = { ...envelope.headers, "x-death": [{}], "x-first-death-queue": "q" };
      const back = message({ ...envelope, headers, body, exchange: "", routingKey: "dead" });
      delivery = readMessage(back, "dead");
    }
    const { headers } = deadLetterCopy(delivery, why("second", 3)).envelope;
    assert.deepEqual(headers, {
      ...letter,
      "x-weir-exchange": exchange,
      "x-weir-reason": "second",
      "x-weir-retries": 3,
    });
  }
});

test("a publisher cannot pretend that its message was moved", () => {
  const retry = { routing_key: "admin", exchange: "x", retries: 99 };
  const headers = { "x-weir-routing-key": "admin", "x-weir-exchange": "x", "x-weir-retry": retry };
  const { routingKey, exchange, retries } = readMessage(message({ headers }), "work");
  assert.deepEqual([routingKey, exchange, retries], ["order.created", "events", 0]);
});

test("a moved message takes along only what may be sent again", () => {
  const original = message({
    headers: { CC: ["elsewhere"], "x-death": [{}], "x-first-death-queue": "q", mine: true },
    userId: "alice",
    expiration: "1000",
  });
  const { envelope } = deadLetterCopy(readMessage(original, "work"), why("r".repeat(9000), 2));
  assert.deepEqual(Object.keys(envelope.headers ?? {}).sort(), [
    "mine",
    "x-weir-exchange",
    "x-weir-reason",
    "x-weir-retries",
    "x-weir-routing-key",
    "x-weir-time",
  ]);
  assert.equal(envelope.headers?.["x-weir-reason"].length, 500);
  assert.equal(envelope.userId, undefined);
  assert.equal(envelope.expiration, undefined);
});

test("headers of any name are plain data", () => {
  const headers = {};
  // This is what the client library makes of a header "__proto__" that holds a table.
  Object.setPrototypeOf(headers, { admin: true });
  const { content } = readMessage(message({ headers }), "work");
  assert.ok("body" in content);
  assert.equal(content.metadata.headers.admin, undefined);
});

test("a body is read as JSON, whatever it calls itself, and kept byte for byte where it is none", () => {
  const good: readonly (readonly [Partial<AsyncMessage>, unknown])[] = [
    [{ contentType: undefined, body: Buffer.from('{"n":1}') }, { n: 1 }],
    [{ contentType: "text/plain", body: Buffer.from("[1]") }, [1]],
    [{ contentType: "application/json", body: Buffer.from('"a string"') }, "a string"],
    [{ contentType: "application/json", body: Buffer.from("null") }, null],
  ];
  for (const [rest, expected] of good) {
    const { content } = readMessage(message(rest), "work");
    assert.ok("body" in content);
    assert.deepEqual(content.body, expected);
  }
  const bad: readonly Partial<AsyncMessage>[] = [
    { body: Buffer.from("{") },
    { body: Buffer.alloc(0) },
    { contentType: undefined, body: Buffer.from([0x22, 0xff, 0x22]) },
    { contentType: "application/json", body: Buffer.from([0x22, 0xff, 0x22]) },
    { contentType: undefined, body: Buffer.from("\u{feff}1") },
    { contentType: "application/json", contentEncoding: "gzip", body: Buffer.from([31, 139]) },
    { contentType: "text/plain", body: Buffer.from("nonsense") },
  ];
  for (const rest of bad) {
    const delivery = readMessage(message(rest), "work");
    assert.ok("reason" in delivery.content);
    assert.match(delivery.content.reason, /^its body is not JSON$/);
    assert.equal(delivery.content.permanent, true);
    const { body } = deadLetterCopy(delivery, why("r", 0));
    assert.deepEqual(body, rest.body);
  }
});

/** The message as it comes back from the retry queue. */
function returned({ envelope, body }: ReturnType<typeof retryCopy>): AsyncMessage {
  return message({ ...envelope, body, exchange: "", routingKey: "work" });
}

test("a message whose header cannot be sent waits with it in its body, and is unchanged", () => {
  const headers = { large: "x".repeat(20_000), none: NaN, bytes: Buffer.from([1, 2]), list: [[]] };
  const original = message({
    headers,
    messageId: "m1",
    timestamp: 2 ** 64,
    durable: true,
  });
  let delivery = readMessage(original, "work");
  const { content } = delivery;
  for (let retries = 1; retries < 4; retries++) {
    const forwarded = retryCopy(delivery, "because", retries);
    assert.ok(JSON.stringify(forwarded.envelope).length < 1_000);
    delivery = readMessage(returned(forwarded), "work");
    assert.equal(delivery.retries, retries);
    assert.deepEqual(delivery.content, content);
  }
  const { envelope, body, leftOut } = deadLetterCopy(delivery, why("because", 3));
  assert.deepEqual(JSON.parse(body.toString()), { n: 1 });
  assert.equal(envelope.messageId, "m1");
  assert.equal(envelope.timestamp, undefined);
  assert.deepEqual(envelope.headers?.list, [[]]);
  assert.equal(leftOut, "timestamp, header large, header none, header bytes");
  assert.equal(envelope.headers?.["x-weir-left-out"], leftOut);
});

test("a header that says that others are packed is believed of no message from elsewhere, and may be wrong", () => {
  const retry = { routing_key: "k", exchange: { toString: 1 }, retries: -1e9 };
  const headers: Record<string, unknown> = { "x-weir-packed": 5, "x-weir-retry": retry };
  const elsewhere = readMessage(message({ headers }), "work");
  assert.ok("body" in elsewhere.content);
  const levels = `${'["list",'.repeat(200_000)}1${"]".repeat(200_000)}`;
  const deep = `["map",["headers",["map",["h",${levels}]]]]`;
  for (const text of ["nonsense", '{"n":1}', '["map",["headers",1]]', deep]) {
    const body = Buffer.from(text);
    for (const length of [text.length, { valueOf: 1, toString: 1 }, "1"]) {
      headers["x-weir-packed"] = length;
      const moved = message({ headers, body, exchange: "", routingKey: "work" });
      const here = readMessage(moved, "work");
      assert.deepEqual(here.content, {
        reason: "its packed headers cannot be read",
        permanent: true,
      });
      assert.deepEqual([here.retries, here.routingKey, here.exchange], [0, "k", ""]);
    }
  }
});

/** Lists and tables in each other, `levels` of them. */
function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { a: value } : [value];
  return value;
}

test("headers nest at most 64 levels, their table included, also where they waited for a retry", () => {
  const good = message({ headers: { large: "x".repeat(9_000), h: nested(63) } });
  const delivery = readMessage(good, "work");
  assert.ok("body" in delivery.content);
  assert.deepEqual(delivery.content.metadata.headers.h, nested(63));
  const again = readMessage(returned(retryCopy(delivery, "because", 1)), "work");
  assert.deepEqual(again.content, delivery.content);
  const bad = readMessage(message({ headers: { mine: 1, h: nested(64) } }), "work");
  assert.deepEqual(bad.content, { reason: "its headers nest deeper than 64", permanent: true });
  assert.equal(deadLetterCopy(bad, why("r", 0)).body, bad.message.body);
});

test("a body nests at most 64 levels, and a dead letter has its bytes", () => {
  const text = (levels: number): string => `${"[".repeat(levels)}1${"]".repeat(levels)}`;
  const good = readMessage(message({ body: Buffer.from(text(64)) }), "work");
  assert.ok("body" in good.content);
  for (const levels of [65, 200_000]) {
    const body = Buffer.from(text(levels));
    const bad = readMessage(message({ body }), "work");
    assert.deepEqual(bad.content, { reason: "its body nests deeper than 64", permanent: true });
    assert.equal(deadLetterCopy(bad, why("r", 0)).body, body);
  }
});
