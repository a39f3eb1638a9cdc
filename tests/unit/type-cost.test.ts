/** A type costs little more than valibot, of which it is made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareValidation } from "../../bench/validate.ts";

test("type cost: an object of five fields takes at most 10 times as long as by valibot alone", async () => {
  const { weir, valibot, ratio } = await compareValidation({ rounds: 7, objects: 20_000 });
  assert.ok(ratio <= 10, `${weir} µs against ${valibot} µs is ${ratio} times as long`);
  assert.ok(ratio > 0);
});
