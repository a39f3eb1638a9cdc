/** Begins and ends of what only the oldest instance does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Leadership } from "../../src/cluster/leadership.ts";
import { settle } from "../support/clock.ts";
import { recorder } from "../support/log.ts";

test("a begin waits for the end before it, and one that fails is logged and holds nothing back", async () => {
  const { logger, records } = recorder();
  const leadership = new Leadership("a", logger);
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  leadership.lead({
    begin: () => Promise.reject(new Error("broken")),
    end: () => Promise.resolve(),
  });
  leadership.lead({
    begin: (takesOver) => Promise.resolve(void log.push(`begin ${takesOver}`)),
    async end() {
      log.push("end");
      await gate.promise;
      log.push("ended");
    },
  });
  leadership.update(undefined);
  leadership.update("a");
  leadership.update("a");
  leadership.update("b");
  leadership.update("a");
  await settle();
  assert.deepEqual(log, ["begin false", "end"]);
  gate.resolve();
  await settle();
  assert.deepEqual(log, ["begin false", "end", "ended", "begin true"]);
  assert.equal(records.length, 2);
});

test("what is added while this instance is the oldest begins at once, and nothing after the close", async () => {
  const { logger } = recorder();
  const leadership = new Leadership("a", logger);
  const log: string[] = [];
  const turn = {
    begin: () => Promise.resolve(void log.push("begin")),
    end: () => Promise.resolve(void log.push("end")),
  };
  leadership.update("a");
  leadership.lead(turn);
  await settle();
  assert.deepEqual(log, ["begin"]);
  leadership.close();
  leadership.lead(turn);
  leadership.update("b");
  await settle();
  assert.deepEqual([log, leadership.isOwn], [["begin"], false]);
});
