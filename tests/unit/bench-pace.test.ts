import assert from "node:assert/strict";
import { test } from "node:test";
import { paced } from "../../bench/pace.ts";

const pace = { round: 0.1, warmUp: 0.3 };

/** Work that takes so many seconds each time, and what was asked of it. */
function worker(secondsEach: () => number) {
  const asked: number[] = [];
  const work = (times: number) => {
    asked.push(times);
    const seconds = times * secondsEach();
    return Promise.resolve({ done: times, seconds, cpu: seconds, own: 0, p50: 0, p99: 0 });
  };
  return { asked, work };
}

test("the warm-up finds how often a round does the work, and grows no faster than fourfold", async () => {
  const { asked, work } = worker(() => 0.001);
  const measure = paced(work, pace, 5);
  await measure();
  assert.deepEqual(asked, [5, 20, 80, 100, 100]);
  await measure();
  await measure();
  assert.deepEqual(asked.slice(5), [100, 100]);
});

test("slow work is done as often as it must be, and no more", async () => {
  const { asked, work } = worker(() => 0.5);
  const measure = paced(work, pace, 3);
  await measure();
  await measure();
  assert.deepEqual(asked, [3, 3]);
});

test("the last of the warm-up counts: by then the server is fast", async () => {
  const speeds = [0.02, 0.005];
  const { asked, work } = worker(() => speeds.shift() ?? 0.002);
  const measure = paced(work, pace, 10);
  await measure();
  const warm = asked.length;
  await measure();
  assert.deepEqual(asked.slice(warm), [50]);
});
