/** Turns of the transactions that a database must repeat. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../src/connectors/database/turns.ts";

const never = new AbortController().signal;

test("each waits until the one before it has left", async () => {
  const turns = new Turns();
  const seen: string[] = [];
  const first = await turns.take(never);
  const second = turns.take(never).then((leave) => {
    seen.push("second");
    return leave;
  });
  const third = turns.take(never).then((leave) => {
    seen.push("third");
    leave();
  });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(seen, []);
  first();
  const leave = await second;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(seen, ["second"]);
  leave();
  await third;
  assert.deepEqual(seen, ["second", "third"]);
});

test("one that gives up holds nobody, and lets nobody pass before his turn", async () => {
  const turns = new Turns();
  const leave = await turns.take(never);
  const controller = new AbortController();
  const given = turns.take(controller.signal);
  let passed = false;
  const last = turns.take(never).then(() => passed = true);
  controller.abort();
  await assert.rejects(given, { name: "CancelledError", message: "was cancelled" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(passed, false);
  leave();
  await last;
  await assert.rejects(turns.take(controller.signal), { name: "CancelledError" });
});
