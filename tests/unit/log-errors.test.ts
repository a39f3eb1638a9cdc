import type { LogRecord } from "@logtape/logtape";
import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutDetails } from "../../src/commands/log.ts";

function record(error: unknown): LogRecord {
  return {
    category: ["weir"],
    level: "error",
    message: ["it failed: ", error, ""],
    rawMessage: "it failed: {error}",
    timestamp: 0,
    properties: { error, ref: "1234" },
  };
}

test("of an error stay name, message, stack, code and causes", () => {
  const cause = Object.assign(new TypeError("inner"), { payload: { sub: "hush" } });
  const error = Object.assign(new Error("outer", { cause }), { code: "ERR", row: ["hush"] });
  const { message, properties } = withoutDetails(record(error));
  assert.equal(message[1] instanceof Error, true);
  const shown = properties.error as Error & { readonly code: string; readonly cause: Error };
  assert.deepEqual(
    [shown.name, shown.message, shown.stack, shown.code],
    ["Error", "outer", error.stack, "ERR"],
  );
  assert.deepEqual(
    [shown.cause.name, shown.cause.message, shown.cause.stack],
    ["TypeError", "inner", cause.stack],
  );
  assert.ok(!("row" in shown) && !("payload" in shown.cause));
  // The record itself is for others, too.
  assert.deepEqual(error.row, ["hush"]);
});

test("what is no error stays as it is", () => {
  for (const value of ["text", 5, null, undefined, { a: 1 }, [1]]) {
    const given = record(value);
    assert.deepEqual(withoutDetails(given), given);
  }
});

test("a code that is no text and a cause that is no error", () => {
  const error = Object.assign(new Error("outer", { cause: "why" }), { code: { secret: "hush" } });
  const shown = withoutDetails(record(error)).properties.error as Error;
  assert.equal(shown.cause, "why");
  assert.ok(!("code" in shown));
});

test("what causes say is cut and escaped, in their stacks as well", () => {
  const cause = new Error(`no such value: ${"x".repeat(1_000)}\u202e\n    at forged (file.ts:1)`);
  const second = new Error("a\u001b[31mb", { cause });
  const { properties } = withoutDetails(record(new Error("outer", { cause: second })));
  const shown = properties.error as { readonly cause: Error & { readonly cause: Error } };
  assert.equal(shown.cause.message, "a\\u001b[31mb");
  assert.match(String(shown.cause.stack), /^Error: a\\u001b\[31mb\n/);
  assert.equal(shown.cause.cause.message.length, 301);
  assert.doesNotMatch(String(shown.cause.cause.stack), /forged|\u202e/);
});
