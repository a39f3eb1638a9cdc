import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Activity, StuckError } from "../../src/testing/activity.ts";
import { amend } from "../../src/testing/amend.ts";
import { ManualClock, WatchedClock } from "../../src/testing/clock.ts";
import { differences, snapshot } from "../../src/testing/match.ts";
import { endOfTick } from "../../src/base/clock.ts";

const START = Date.UTC(2026, 0, 1);

test("the clock stands still until it is moved", () => {
  const clock = new ManualClock();
  const ran: string[] = [];
  clock.after(200, () => ran.push(`late at ${clock.elapsed()}`));
  clock.after(100, () => ran.push(`first at ${clock.elapsed()}`));
  clock.after(100, () => ran.push(`second at ${clock.elapsed()}`));
  clock.after(100, () => ran.push("cancelled"))();
  assert.deepEqual([clock.now(), clock.elapsed()], [START, 0]);
  assert.deepEqual([clock.isDue(START + 99), clock.isDue(START + 100)], [false, true]);
  while (clock.isDue(START + 500)) clock.runNext();
  clock.moveTo(START + 500);
  assert.deepEqual(ran, ["first at 100", "second at 100", "late at 200"]);
  assert.deepEqual([clock.now(), clock.elapsed()], [START + 500, 500]);
});

test("a clock begins anew without what was to come", () => {
  const clock = new ManualClock();
  clock.after(100, () => assert.fail("it was to be forgotten"));
  clock.moveTo(START + 50);
  clock.reset();
  assert.deepEqual([clock.now(), clock.isDue(Infinity)], [START, false]);
  clock.runNext();
});

test("tasks run in the order of their times, whatever the order in which they were set", () => {
  fc.assert(fc.property(fc.array(fc.nat(1000)), (delays) => {
    const clock = new ManualClock();
    const ran: number[] = [];
    for (const delay of delays) clock.after(delay, () => ran.push(delay));
    while (clock.isDue(START + 1000)) clock.runNext();
    assert.deepEqual(ran, [...delays].sort((a, b) => a - b));
  }));
});

test("a watched clock knows whether somebody waits for it", () => {
  const clock = new ManualClock();
  let changes = 0;
  const watched = new WatchedClock(clock, () => changes++);
  assert.equal(watched.isAwaited, false);
  const cancel = watched.after(10, () => {});
  watched.after(20, () => {});
  assert.deepEqual([watched.isAwaited, changes], [true, 2]);
  cancel();
  cancel();
  assert.equal(watched.isAwaited, true);
  clock.runNext();
  assert.deepEqual([watched.isAwaited, watched.now(), watched.elapsed()], [false, START + 20, 20]);
});

test("activity waits for promises, for ticks and for timers of no time", async () => {
  const activity = new Activity();
  const seen: string[] = [];
  const say = (text: string): void => {
    seen.push(text);
    activity.touch();
  };
  const slow = new Promise<void>((resolve) => setTimeout(resolve, 30));
  activity.track("slow", slow.then(() => say("promise")));
  slow.then(() => endOfTick(() => endOfTick(() => say("two ticks"))));
  setTimeout(() => say("timer"), 0);
  await activity.settled();
  assert.deepEqual(seen.sort(), ["promise", "timer", "two ticks"]);
});

test("activity does not wait for what waits for the clock", async () => {
  const activity = new Activity();
  const end = activity.begin("waiting", () => true);
  activity.track("never", new Promise(() => {}), () => true);
  await activity.settled();
  end();
});

test("activity does not wait for ever", async () => {
  const activity = new Activity(20);
  assert.equal(activity.track("a value", 5), 5);
  activity.track("the write", new Promise(() => {}));
  await assert.rejects(activity.settled(), (error) => {
    assert.ok(error instanceof StuckError);
    assert.equal(error.message, "the write does not end");
    return true;
  });
});

for (
  const [way, later] of [
    ["ticks", endOfTick],
    ["timers", (task: () => void) => void setTimeout(task, 0)],
  ] as const
) {
  test(`activity that goes on by ${way} without end is found out, too`, async () => {
    const activity = new Activity(20);
    let over = false;
    const again = (): void => {
      activity.touch();
      if (!over) later(again);
    };
    again();
    await assert.rejects(activity.settled(), {
      name: "StuckError",
      message: "flows start each other without end",
    });
    over = true;
  });
}

test("a rejected promise is an end as well", async () => {
  const activity = new Activity();
  const failing = activity.track("failing", Promise.reject(new Error("no")));
  await activity.settled();
  await assert.rejects(failing, /no/);
});

const cases: readonly [expected: unknown, received: unknown, ...differences: string[]][] = [
  [1, 1],
  [null, undefined],
  [{ a: null }, {}],
  [{}, { a: 1 }],
  [{ a: { b: [1, { c: 2 }] } }, { a: { b: [1, { c: 2, d: 3 }] }, e: 4 }],
  [1, 2, ": expected 1, received 2"],
  [1, "1", ': expected 1, received "1"'],
  [null, 0, ": expected null, received 0"],
  [1, undefined, ": expected 1, received nothing"],
  [{ a: 1 }, { a: 2 }, "a: expected 1, received 2"],
  [{ a: 1 }, [1], ': expected {"a":1}, received [1]'],
  [{ a: 1 }, null, ': expected {"a":1}, received null'],
  [[1], [1, 2], ": expected 1 item, received 2 items"],
  [[1], { 0: 1 }, ': expected [1], received {"0":1}'],
  [[1, { b: 2 }], [0, { b: 3 }], "[0]: expected 1, received 0", "[1].b: expected 2, received 3"],
  [{ "a b": { "é-1": 1 } }, { "a b": {} }, '["a b"].é-1: expected 1, received nothing'],
  [{ toString: 1 }, {}, "toString: expected 1, received nothing"],
];

for (const [expected, received, ...found] of cases) {
  test(`match: ${JSON.stringify(expected)} and ${JSON.stringify(received)}`, () => {
    const shown = differences(expected, received).map(({ path, message }) => `${path}: ${message}`);
    assert.deepEqual(shown, found);
  });
}

test("match: every value matches itself, and no other scalar", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    assert.deepEqual(differences(value, structuredClone(value)), []);
  }));
  fc.assert(fc.property(fc.jsonValue(), fc.string(), (value, other) => {
    if (value === other) return;
    assert.notDeepEqual(differences(other, value), []);
  }));
});

test("a snapshot is what a value is as JSON at that moment", () => {
  const value = { n: 5n, big: 2n ** 60n, list: [1], none: undefined, at: new Date(0) };
  const kept = snapshot(value);
  value.list.push(2);
  assert.deepEqual(kept, {
    n: 5,
    big: "1152921504606846976",
    list: [1],
    at: "1970-01-01T00:00:00.000Z",
  });
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  assert.equal(snapshot(cyclic), "[object Object]");
  assert.equal(snapshot(undefined), undefined);
  assert.equal(snapshot(Symbol("s")), "Symbol(s)");
});

test("an amended object has its own private fields, and others are as they are", () => {
  class Counter {
    #count = 1;
    step = 2;
    next(): number {
      return this.#count += this.step;
    }
    get count(): number {
      return this.#count;
    }
  }
  const counter = new Counter();
  const amended = amend(counter, { step: 5 });
  assert.deepEqual([amended.next(), amended.count, amended.step], [3, 3, 5]);
  assert.deepEqual(["next" in amended, "step" in amended, "other" in amended], [true, true, false]);
  const frozen: { readonly a: number } = Object.freeze({ a: 1 });
  assert.equal(amend(frozen, { a: 2 }).a, 2);
});
