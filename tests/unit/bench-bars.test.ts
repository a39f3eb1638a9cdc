import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, meets, slackBound } from "../../bench/bars.ts";
import { barOf, resultOf } from "./bench-support.ts";

const { contenders } = resultOf({
  "weir-node": { cost: 2, rate: 300, share: 0.55 },
  "ws-node": { cost: 10, rate: 100 },
});

test("efficiency is the other's cost through one's own, growth the other way round", () => {
  assert.equal(judge(barOf("efficiency", 1, "ws-node"), contenders).value, 5);
  assert.equal(judge(barOf("growth", 1, "ws-node"), contenders).value, 0.2);
});

test("what is beyond is the difference of two costs", () => {
  const { "weir-node": plain, "ws-node": costly } = contenders;
  const bar = barOf("beyond", 8, "ws-node");
  assert.equal(judge(bar, { "weir-node": costly, "ws-node": plain }).value, 8);
  assert.ok(judge(bar, { "weir-node": costly, "ws-node": plain }).reached);
  assert.ok(!judge({ ...bar, bound: 7 }, { "weir-node": costly, "ws-node": plain }).reached);
});

test("a growth beside another pair's is divided by it", () => {
  const { contenders } = resultOf({
    "weir-node": { cost: 3 },
    "weir-small": { cost: 2 },
    "floor-large": { cost: 2.5 },
    "floor-small": { cost: 2 },
  });
  const beside = { of: "floor-large", against: "floor-small" };
  const bar = { ...barOf("growth", 1.15, "weir-small"), beside };
  assert.deepEqual(judge(bar, contenders), { bar, value: 1.2, reached: false });
  const { "floor-small": _, ...rest } = contenders;
  assert.equal(judge(bar, rest).value, undefined);
});

test("a rate is compared with the other's, or stands alone", () => {
  assert.equal(judge(barOf("rate", 1, "ws-node"), contenders).value, 3);
  assert.equal(judge(barOf("rate", 1), contenders).value, 300);
});

test("a cost and a share stand alone", () => {
  assert.equal(judge(barOf("cost", 1), contenders).value, 2);
  assert.equal(judge(barOf("share", 1), contenders).value, 0.55);
});

test("a bar is reached at its bound, from the right side", () => {
  const reached = (...bar: Parameters<typeof barOf>) => judge(barOf(...bar), contenders).reached;
  assert.deepEqual([5, 5.1].map((bound) => reached("efficiency", bound, "ws-node")), [true, false]);
  assert.deepEqual([300, 301].map((bound) => reached("rate", bound)), [true, false]);
  assert.deepEqual([0.2, 0.19].map((bound) => reached("growth", bound, "ws-node")), [true, false]);
  assert.deepEqual([2, 1.9].map((bound) => reached("cost", bound)), [true, false]);
  assert.deepEqual([0.55, 0.5].map((bound) => reached("share", bound)), [true, false]);
});

test("what was not measured has no value and reaches nothing", () => {
  for (const against of ["ws-node", undefined]) {
    const { value, reached } = judge(barOf("rate", 0, against), {});
    assert.deepEqual([value, reached], [undefined, false]);
  }
  const { value } = judge(barOf("efficiency", 0, "socketio-node"), contenders);
  assert.equal(value, undefined);
});

test("the slack is taken off the bar, or off what was kept where that did not reach it", () => {
  const bar = barOf("efficiency", 1, "ws-node");
  const kept = (value: number | undefined, reached: boolean) => ({ bar, value, reached });
  assert.equal(slackBound(bar, undefined, 0.8), 0.8);
  assert.equal(slackBound(bar, kept(undefined, false), 0.8), 0.8);
  assert.equal(slackBound(bar, kept(3, true), 0.8), 0.8);
  assert.equal(slackBound(bar, kept(0.5, false), 0.8), 0.4);
});

test("where less is better, the slack lets a value be greater", () => {
  const bar = barOf("growth", 1.6, "ws-node");
  assert.equal(slackBound(bar, undefined, 0.8), 2);
  assert.equal(slackBound(bar, { bar, value: 4, reached: false }, 0.8), 5);
  assert.deepEqual([2, 2.01].map((value) => meets(bar, value, 2)), [true, false]);
});
