import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../../src/base/deadlines.ts";
import { ManualClock } from "../support/clock.ts";

test("each item expires at its own time, also where one is added again when it expires", async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, 1000);
  const expired: (readonly [item: number, at: number])[] = [];
  for (let item = 0; item < 3; item++) {
    const expiring = {
      expire() {
        expired.push([item, clock.elapsed()]);
        // As a run of a flow that has something to do when it has timed out.
        deadlines.add(expiring);
        if (item === 1) deadlines.delete(expiring);
      },
    };
    deadlines.add(expiring);
    await clock.advance(10);
  }
  await clock.advance(1490);
  assert.deepEqual(expired, [[0, 1000], [1, 1010], [2, 1020]]);
  await clock.advance(1000);
  assert.deepEqual(expired.slice(3), [[0, 2000], [2, 2020]]);
  deadlines.close();
  assert.equal(clock.waiting, 0);
});
