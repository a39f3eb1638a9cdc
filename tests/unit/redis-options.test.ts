import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDestination } from "../../src/connectors/mq/connector-checks.ts";
import { redisChecks } from "../../src/connectors/mq/drivers/redis/checks.ts";
import {
  addressOf,
  describeAddress,
  settle,
} from "../../src/connectors/mq/drivers/redis/settings.ts";
import { drivers } from "../../src/connectors/mq/drivers/mod.ts";
import type { MqOptions } from "../../src/connectors/mq/options.ts";
import { codeOf } from "../support/problems.ts";

function options(rest: Record<string, unknown> = {}): MqOptions {
  return { driver: "redis", ...rest } as MqOptions;
}

function problems(rest: Record<string, unknown>): readonly string[] {
  return redisChecks.check(options(rest)).map((problem) =>
    problem.attribute === undefined ? codeOf(problem) : `${problem.attribute}: ${codeOf(problem)}`
  );
}

const queue = { name: "workers", durable: true, exclusive: false, auto_delete: false };
const dlq = { max_retries: 3, retry_delay: 1000 };

test("a good configuration has no problem", () => {
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ url: ["redis://u:p@[::1]:6379/2"] }), []);
  assert.deepEqual(problems({ url: ["rediss://h"], tls: { ca: "/ca.pem" } }), []);
  assert.deepEqual(problems({ host: "h", port: 6379, username: "u", password: "p" }), []);
  const sentinels = ["redis://a:1", "redis://b:2"];
  assert.deepEqual(problems({ url: sentinels, sentinel: "main", password: "p" }), []);
  const consumer = { prefetch: 10, claim_after: 5000, dlq: { ...dlq, stream: "dead" } };
  assert.deepEqual(problems({ queue, consumer, publisher: { max_length: 10 } }), []);
  assert.deepEqual(problems({ publisher: { mode: "stream", max_length: 10 } }), []);
});

test("contradictions are problems", () => {
  const table: readonly (readonly [Record<string, unknown>, ...string[]])[] = [
    [{ url: ["redis://a", "redis://b"] }, "url: invalid-url"],
    [{ sentinel: "main" }, "missing-attribute"],
    [{ url: ["redis://a", "rediss://b"], sentinel: "main" }, "url: invalid-url"],
    [{ url: ["redis://a/1", "redis://b/2"], sentinel: "main" }, "url: invalid-url"],
    [{ url: ["amqp://a"] }, "url: invalid-url"],
    [{ url: ["redis://"] }, "url: invalid-url"],
    [{ url: ["redis://a?b=c"] }, "url: invalid-url"],
    [{ url: ["redis://a/mine"] }, "url: invalid-url"],
    [{ url: ["redis://u:%zz@a"] }, "url: invalid-url"],
    [{ url: ["redis://a"], tls: {} }, "tls: conflicting-attributes"],
    [
      { url: ["redis://a"], host: "b", port: 1, username: "u", password: "p" },
      ...["host", "port", "username", "password"].map((name) => `${name}: conflicting-attributes`),
    ],
    [
      { url: ["redis://a"], sentinel: "main", host: "b", username: "u", password: "p" },
      "host: conflicting-attributes",
    ],
    [{ url: ["redis://u@a"] }, "missing-attribute"],
    [{ username: "u" }, "missing-attribute"],
    [{ url: ["redis://a"], sentinel: "main", username: "u" }, "missing-attribute"],
    [{ queue: {} }, "missing-queue"],
    [{ queue: { ...queue, name: "" } }, "invalid-value"],
    [{ consumer: { dlq } }, "missing-queue"],
    [{ queue, consumer: { dlq: { ...dlq, stream: "" } } }, "invalid-value"],
    [{ consumer: { claim_after: 1000 } }, "unused-attribute"],
    [{ publisher: { max_length: 10 } }, "unused-attribute"],
    [{ queue, publisher: { mode: "channel", max_length: 10 } }, "unused-attribute"],
  ];
  for (const [given, ...expected] of table) {
    assert.deepEqual(problems(given), expected, JSON.stringify(given));
  }
});

test("operations are channels and globs, or exact names of streams", () => {
  const operation = (name: string | undefined, rest = {}) =>
    redisChecks.checkOperation(name, options(rest)).map(codeOf);
  for (const name of [undefined, "a", "a b", "a.*", "[ab]?", "a\\*"]) {
    assert.deepEqual(operation(name), [], String(name));
  }
  assert.deepEqual(operation("a b", { queue }), []);
  assert.deepEqual(operation(undefined, { queue }), ["missing-operation"]);
  for (const name of ["a.*", "a?", "[a]"]) {
    assert.deepEqual(operation(name, { queue }), ["invalid-operation"], name);
  }
  assert.deepEqual(operation("workers.dlq", { queue }), []);
  assert.deepEqual(operation("workers.dlq", { queue, consumer: { dlq } }), ["dead-letter-loop"]);
  for (const rest of [{}, { queue }]) {
    assert.deepEqual(operation("", rest), ["invalid-operation"]);
    assert.deepEqual(operation("ä".repeat(256), rest), []);
    assert.deepEqual(operation("ä".repeat(257), rest), ["invalid-operation"]);
  }
});

test("a destination needs a target; only a stream carries headers, and nothing an id", () => {
  const target = (name: string | undefined) => redisChecks.checkTarget(name, options()).map(codeOf);
  assert.deepEqual(target("a.*"), []);
  assert.deepEqual(target(undefined), ["missing-target"]);
  assert.deepEqual(target(""), ["invalid-value"]);
  assert.deepEqual(target("a".repeat(513)), ["invalid-value"]);
  assert.deepEqual(redisChecks.checkTarget(undefined, options({ queue })).map(codeOf), [
    "missing-target",
  ]);
  const attributes = (given: object, rest = {}) =>
    checkDestination(given, options(rest), drivers).map(codeOf);
  assert.deepEqual(attributes({ headers: {} }, { queue }), []);
  assert.deepEqual(attributes({ headers: {} }), ["unused-attribute"]);
  assert.deepEqual(attributes({ headers: undefined }), []);
  assert.deepEqual(attributes({ message_id: "a" }, { queue }), ["unused-attribute"]);
});

test("what is published is received where channels fit or the stream is the same", () => {
  const { receives } = redisChecks;
  const streams = options({ queue });
  const channels = options();
  assert.equal(receives(undefined, "a", channels), true);
  assert.equal(receives("a.*", "a.b", channels), true);
  assert.equal(receives("a.*", "b", channels), false);
  assert.equal(receives("a", "a", streams), true);
  assert.equal(receives("a", "b", streams), false);
  // One publishes to a stream, the other one listens to channels.
  assert.equal(receives("a", "a", channels, streams), false);
  assert.equal(receives("a", "a", streams, channels), false);
  const at = (url: string, rest = {}) => options({ url: [url], ...rest });
  assert.equal(receives("a", "a", channels, at("redis://localhost/3")), true);
  assert.equal(receives("a", "a", channels, at("redis://other")), false);
  assert.equal(receives("a", "a", streams, at("redis://localhost/3", { queue })), false);
  assert.equal(receives("a", "a", streams, at("redis://u:p@localhost:6379", { queue })), true);
  assert.equal(receives("a", "a", at("no url", { queue }), at("no url", { queue })), true);
});

test("dead letters are received by a flow on their stream", () => {
  const sender = options({ queue, consumer: { dlq } });
  const receive = (operation: string, receiver: MqOptions, from = sender) =>
    redisChecks.receivesDeadLetters(receiver, from, operation);
  assert.equal(receive("workers.dlq", options({ queue })), true);
  assert.equal(receive("workers.dlq", options()), false);
  assert.equal(receive("other", options({ queue })), false);
  assert.equal(receive("workers.dlq", options({ queue }), options({ queue })), false);
});

test("defaults are those of the documentation", () => {
  assert.deepEqual(settle(options()), {
    prefetch: 10,
    group: undefined,
    deadLetters: undefined,
    claimAfter: 30_000,
    mode: "channel",
    maxLength: 100_000,
  });
  const { mode, deadLetters } = settle(options({ queue, consumer: { dlq } }));
  assert.deepEqual([mode, deadLetters], ["stream", "workers.dlq"]);
});

test("an address comes from urls or from parts, and is shown without passwords", () => {
  const shown = (rest: Record<string, unknown>) => describeAddress(addressOf(options(rest)));
  assert.equal(shown({}), "localhost:6379");
  assert.equal(shown({ host: "::1", port: 1, password: "secret" }), "[::1]:1");
  assert.equal(shown({ url: ["redis://u:secret@h/2"] }), "h:6379 (database 2)");
  assert.equal(
    shown({ url: ["redis://:secret@a", "redis://b:2"], sentinel: "main" }),
    '"main" of Sentinel a:26379, b:2',
  );
  const plain = addressOf(options({ url: ["rediss://u:p%40@h:1/2"] }));
  assert.deepEqual([plain.username, plain.password, plain.database], ["u", "p@", 2]);
  assert.notEqual(plain.tls, undefined);
  const url = ["redis://s:own@a:1"];
  const { nodes, username, password } = addressOf(
    options({ url, sentinel: "main", username: "u", password: "p" }),
  );
  assert.deepEqual([username, password], ["u", "p"]);
  assert.deepEqual(nodes, [{ host: "a", port: 1, username: "s", password: "own" }]);
});
