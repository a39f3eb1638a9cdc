import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { AsyncMessage } from "rabbitmq-client";
import { forward, readDelivery } from "../../src/connectors/mq/rabbitmq/delivery.ts";

function message(rest: Partial<AsyncMessage>): AsyncMessage {
  return {
    consumerTag: "c",
    deliveryTag: 1,
    redelivered: false,
    exchange: "events",
    routingKey: "order.created",
    contentType: "application/json",
    body: { n: 1 },
    ...rest,
  };
}

test("a message that waited for a retry comes back as what it was", () => {
  const original = message({ headers: { mine: 1 }, messageId: "m1", priority: 4 });
  const first = readDelivery(original, "work");
  assert.equal(first.retries, 0);
  const { envelope, body } = forward(original, first, { reason: "because", retries: 1 });
  const again = readDelivery(
    message({ ...envelope, body: JSON.parse(body.toString()), exchange: "", routingKey: "work" }),
    "work",
  );
  assert.equal(again.retries, 1);
  assert.deepEqual([again.routingKey, again.exchange], ["order.created", "events"]);
  assert.ok("body" in again.content);
  assert.deepEqual(again.content.body, { n: 1 });
  assert.equal(again.content.headers.mine, 1);
  assert.equal(Object.hasOwn(again.content.headers, "x-weir-retries"), false);
  assert.equal(again.content.properties.message_id, "m1");
  assert.equal(again.content.properties.priority, 4);
});

test("a publisher cannot pretend that its message was moved", () => {
  const headers = { "x-weir-routing-key": "admin", "x-weir-exchange": "x", "x-weir-retries": 99 };
  const { routingKey, exchange, retries } = readDelivery(message({ headers }), "work");
  assert.deepEqual([routingKey, exchange, retries], ["order.created", "events", 0]);
});

test("a moved message takes along only what may be sent again", () => {
  const original = message({
    headers: { CC: ["elsewhere"], "x-death": [{}], "x-first-death-queue": "q", mine: true },
    userId: "alice",
    expiration: "1000",
  });
  const { envelope } = forward(original, readDelivery(original, "work"), {
    reason: "r".repeat(9000),
  });
  assert.deepEqual(Object.keys(envelope.headers ?? {}).sort(), [
    "mine",
    "x-weir-exchange",
    "x-weir-reason",
    "x-weir-retries",
    "x-weir-routing-key",
  ]);
  assert.equal(envelope.headers?.["x-weir-retries"], undefined);
  assert.equal(envelope.headers?.["x-weir-reason"].length, 500);
  assert.equal(envelope.userId, undefined);
  assert.equal(envelope.expiration, undefined);
});

test("headers of any name are plain data", () => {
  const headers = {};
  // This is what the client library makes of a header "__proto__" that holds a table.
  Object.setPrototypeOf(headers, { admin: true });
  const { content } = readDelivery(message({ headers }), "work");
  assert.ok("headers" in content);
  assert.equal(content.headers.admin, undefined);
});

test("a body is read as JSON, whatever it calls itself, and kept byte for byte where it is none", () => {
  const good: readonly (readonly [Partial<AsyncMessage>, unknown])[] = [
    [{ contentType: undefined, body: Buffer.from('{"n":1}') }, { n: 1 }],
    [{ contentType: "text/plain", body: "[1]" }, [1]],
    [{ contentType: "application/json", body: "a string" }, "a string"],
    [{ contentType: "application/json", body: null }, null],
  ];
  for (const [rest, expected] of good) {
    const { content } = readDelivery(message(rest), "work");
    assert.ok("body" in content);
    assert.deepEqual(content.body, expected);
  }
  const bad: readonly Partial<AsyncMessage>[] = [
    { body: Buffer.from("{") },
    { body: Buffer.alloc(0) },
    { contentType: undefined, body: Buffer.from([0x22, 0xff, 0x22]) },
    { contentType: undefined, body: Buffer.from("\u{feff}1") },
    { contentType: "application/json", contentEncoding: "gzip", body: Buffer.from([31, 139]) },
    { contentType: "text/plain", body: "nonsense" },
  ];
  for (const rest of bad) {
    const original = message(rest);
    const delivery = readDelivery(original, "work");
    assert.ok("reason" in delivery.content);
    assert.match(delivery.content.reason, /^its body is no JSON$/);
    assert.equal(delivery.content.permanent, true);
    const { body } = forward(original, delivery, { reason: "r" });
    assert.deepEqual(body, Buffer.from(rest.body));
  }
});
