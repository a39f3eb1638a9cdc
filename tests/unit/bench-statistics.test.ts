import assert from "node:assert/strict";
import { test } from "node:test";
import { figuresOf } from "../../bench/results.ts";
import { summarize } from "../../bench/statistics.ts";

test("the median is the middle one, or lies between the two in the middle", () => {
  assert.deepEqual(summarize([7]), { median: 7, min: 7, max: 7 });
  assert.deepEqual(summarize([30, 1, 2]), { median: 2, min: 1, max: 30 });
  assert.deepEqual(summarize([4, 1, 100, 2]), { median: 3, min: 1, max: 100 });
});

test("numbers are sorted as numbers, and what was given stays as it is", () => {
  const values = [10, 9, 100];
  assert.equal(summarize(values).median, 10);
  assert.deepEqual(values, [10, 9, 100]);
});

test("nothing has no median", () => {
  assert.throws(() => summarize([]), RangeError);
});

test("every figure of the rounds is summed up, with four digits", () => {
  const figures = figuresOf([{ cost: 1.23456, rate: 100_049 }, { cost: 3, rate: 100_051 }]);
  assert.deepEqual(figures, {
    cost: { median: 2.117, min: 1.235, max: 3 },
    rate: { median: 100_100, min: 100_000, max: 100_100 },
  });
});
