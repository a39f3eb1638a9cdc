/** Errors on their way between processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { type Result, resultOf, valueOf } from "../../src/workers/wire.ts";

/** What arrives of a result. */
function sent<T>(result: Result<T>): Result<T> {
  return JSON.parse(JSON.stringify(result));
}

test("a value arrives as it is", async () => {
  for (const value of [null, 0, "", { a: [1] }]) {
    assert.deepEqual(valueOf(sent(await resultOf(() => Promise.resolve(value)))), value);
  }
});

test("a connector's error arrives as one, with the same words", async () => {
  for (const permanent of [true, false]) {
    const error = new ConnectorError("ws", "cannot listen", { permanent, code: "cannot-listen" });
    const failed = sent(await resultOf(() => Promise.reject(error)));
    assert.throws(() => valueOf(failed), (got) => {
      assert.ok(got instanceof ConnectorError);
      assert.deepEqual(
        [got.name, got.message, got.connector, got.permanent, got.code],
        [error.name, error.message, "ws", permanent, "cannot-listen"],
      );
      return true;
    });
  }
});

test("any other error arrives with its message, and where it came from", async () => {
  const error = new TypeError("that is no room");
  const failed = sent(await resultOf(() => Promise.reject(error)));
  assert.throws(() => valueOf(failed), (got) => {
    assert.ok(got instanceof Error && !(got instanceof ConnectorError));
    assert.deepEqual([got.name, got.message, got.stack], ["TypeError", error.message, error.stack]);
    return true;
  });
  const odd = sent(await resultOf(() => Promise.reject("just text")));
  assert.throws(() => valueOf(odd), { name: "Error", message: "just text" });
});

test("what throws at once is a failure as well", async () => {
  const failed = await resultOf(() => {
    throw new Error("at once");
  });
  assert.throws(() => valueOf(failed), { message: "at once" });
});
