import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bindingKeys,
  compilePattern,
  hasWildcard,
  isTooLong,
} from "../../src/connectors/mq/exchanges.ts";
import { topicTable } from "../support/topic-table.ts";

for (const [pattern, taken, refused] of topicTable) {
  test(`the pattern ${JSON.stringify(pattern)} takes what RabbitMQ would`, () => {
    const matches = compilePattern(pattern);
    for (const key of taken) assert.equal(matches(key), true, `takes ${JSON.stringify(key)}`);
    for (const key of refused) assert.equal(matches(key), false, `refuses ${JSON.stringify(key)}`);
  });
}

test("many wildcards against a long key end soon", () => {
  const matches = compilePattern("#.a.#.b.#.c.#.d.#.e");
  assert.equal(matches(new Array(120).fill("a").join(".")), false);
});

test("only whole words are wildcards", () => {
  assert.equal(hasWildcard("order.*"), true);
  assert.equal(hasWildcard("#"), true);
  assert.equal(hasWildcard("order.a*"), false);
  assert.equal(hasWildcard("#1.order"), false);
  assert.equal(hasWildcard(""), false);
});

test("a routing key has at most 255 bytes", () => {
  assert.equal(isTooLong("a".repeat(255)), false);
  assert.equal(isTooLong("a".repeat(256)), true);
  assert.equal(isTooLong("ä".repeat(127)), false);
  assert.equal(isTooLong("ä".repeat(128)), true);
});

test("a queue is bound with what the exchange understands", () => {
  const operations = ["order.*", undefined, "order.*"];
  assert.deepEqual(bindingKeys("topic", operations), ["order.*", "#"]);
  assert.deepEqual(bindingKeys("direct", ["a", undefined, "b", "a"]), ["a", "b"]);
  assert.deepEqual(bindingKeys("fanout", operations), [""]);
  assert.deepEqual(bindingKeys("fanout", []), []);
});
