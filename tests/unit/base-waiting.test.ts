import assert from "node:assert/strict";
import { test } from "node:test";
import { InFlight } from "../../src/base/in-flight.ts";
import { retryDelay, type RetryDelays } from "../../src/base/retry.ts";
import { withTimeout } from "../../src/base/timeout.ts";
import { ManualClock } from "../support/clock.ts";

const never = new Promise<never>(() => {});

test("a promise that settles in time keeps its value or its error", async () => {
  const late = () => "late";
  assert.equal(await withTimeout(Promise.resolve(1), 1_000, late), 1);
  await assert.rejects(withTimeout(Promise.reject(new Error("no")), 1_000, late), /no/);
});

test("a promise that settles in time leaves no timer", async () => {
  const clock = new ManualClock();
  const first = withTimeout(Promise.resolve(1), 1_000, () => "late", clock);
  const second = withTimeout(Promise.reject(new Error("no")), 1_000, () => "late", clock);
  assert.equal(clock.waiting, 2);
  await first;
  await assert.rejects(second);
  assert.equal(clock.waiting, 0);
});

test("a promise that is late ends with what the caller decides", async () => {
  assert.equal(await withTimeout(never, 1, () => "late"), "late");
  const ended = withTimeout(never, 1, () => {
    throw new Error("too late");
  });
  await assert.rejects(ended, /too late/);
});

test("work that fails because it was cancelled is still late", async () => {
  const work = Promise.withResolvers<void>();
  const ended = withTimeout(work.promise, 1, () => {
    work.reject(new Error("cancelled"));
    return "late";
  });
  assert.equal(await ended, "late");
});

test("what is in flight is counted until it settles, well or not", async () => {
  const inFlight = new InFlight();
  const first = Promise.withResolvers<number>();
  const second = Promise.withResolvers<number>();
  assert.equal(inFlight.add(first.promise), first.promise);
  void inFlight.add(second.promise).catch(() => {});
  assert.equal(inFlight.count, 2);
  first.resolve(1);
  second.reject(new Error("no"));
  await inFlight.empty();
  assert.equal(inFlight.count, 0);
});

test("waiting until nothing is in flight includes what is added meanwhile", async () => {
  const inFlight = new InFlight();
  let ended = 0;
  const work = async (left: number): Promise<void> => {
    await Promise.resolve();
    if (left > 0) void inFlight.add(work(left - 1));
    ended++;
  };
  void inFlight.add(work(3));
  await inFlight.empty();
  assert.equal(ended, 4);
});

test("the delays of a retry: constant, linear, or doubled, up to the longest, and varied by chance", () => {
  const delays = (backoff: RetryDelays["backoff"], random?: number) =>
    [1, 2, 3, 4, 2_000].map((attempt) =>
      retryDelay(attempt, { delay: 100, maxDelay: 350, backoff }, random)
    );
  assert.deepEqual(delays("constant"), [100, 100, 100, 100, 100]);
  assert.deepEqual(delays("linear"), [100, 200, 300, 350, 350]);
  assert.deepEqual(delays("exponential"), [100, 200, 350, 350, 350]);
  assert.deepEqual(delays("constant", 0), [80, 80, 80, 80, 80]);
});
