import assert from "node:assert/strict";
import { test } from "node:test";
import { Timer, TimerWheel } from "../../src/connectors/websocket/timer-wheel.ts";

/** A timer that notes when it was due; `then` may do more. */
class Note extends Timer {
  readonly moments: number[] = [];
  readonly #then: () => void;

  constructor(then: () => void = () => {}) {
    super();
    this.#then = then;
  }

  override due(): void {
    this.moments.push(performance.now());
    this.#then();
  }
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 1000, "timed out");
    await wait(5);
  }
}

/** Keeps the event loop from doing anything. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) { /* busy */ }
}

/** Counts the timers that the runtime holds for what `act` does, while it does it. */
async function heldTimers(act: (held: () => number) => void | Promise<void>): Promise<void> {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const held = new Set<unknown>();
  globalThis.setTimeout = ((callback: () => void, delay: number) => {
    const handle: unknown = set(() => {
      held.delete(handle);
      callback();
    }, delay);
    held.add(handle);
    return handle;
  }) as typeof setTimeout;
  globalThis.clearTimeout = ((handle: Parameters<typeof clear>[0]) => {
    held.delete(handle);
    clear(handle);
  }) as typeof clearTimeout;
  try {
    await act(() => held.size);
  } finally {
    globalThis.setTimeout = set;
    globalThis.clearTimeout = clear;
  }
}

/** Ten milliseconds from slot to slot. */
const LONGEST = 5_100;
const STEP = 10;

test("set after a moment: never early", async () => {
  const wheel = new TimerWheel(LONGEST);
  const start = performance.now();
  const notes = Array.from({ length: 60 }, () => new Note());
  notes.forEach((note, index) => wheel.setAfter(note, start + index));
  await until(() => notes.every(({ moments }) => moments.length > 0));
  await wait(3 * STEP);
  notes.forEach(({ moments }, index) => {
    assert.equal(moments.length, 1);
    assert.ok(moments[0] >= start + index, `${index}: ${moments[0] - start}`);
  });
});

test("set before a moment: the step before it, or the next one where it is too near", async () => {
  const wheel = new TimerWheel(LONGEST);
  const start = performance.now();
  const notes = [35, 0, 100].map((delay) => {
    const note = new Note();
    wheel.setBefore(note, start + delay);
    return { note, delay };
  });
  await until(() => notes.every(({ note }) => note.moments.length > 0));
  for (const { note: { moments }, delay } of notes) {
    assert.equal(moments.length, 1);
    assert.ok(moments[0] > start + delay - STEP, `${delay}: ${moments[0] - start}`);
  }
  // In their order, whatever else the machine does.
  const [middle, first, last] = notes.map(({ note }) => note.moments[0]);
  assert.ok(first <= middle && middle <= last);
});

test("the longest time is not shortened, also when others have turned the wheel", async () => {
  const wheel = new TimerWheel(510);
  const [first, last] = [new Note(), new Note()];
  wheel.setAfter(first, performance.now() + 400);
  await wait(390);
  const end = performance.now() + 510;
  wheel.setAfter(last, end);
  await until(() => first.moments.length > 0);
  assert.equal(last.moments.length, 0);
  await until(() => last.moments.length > 0);
  assert.ok(last.moments[0] >= end);
  assert.equal(first.moments.length, 1);
});

test("a cleared timer is not due, before or at its moment; clearing twice does nothing", async () => {
  const wheel = new TimerWheel(LONGEST);
  const moment = performance.now() + 30;
  const notes: Note[] = [];
  // Whichever is called first clears the others.
  const clearAll = () => notes.forEach((note) => wheel.clear(note));
  for (let count = 0; count < 3; count++) notes.push(new Note(clearAll));
  const never = new Note();
  for (const note of [never, ...notes]) wheel.setAfter(note, moment);
  wheel.clear(never);
  wheel.clear(never);
  wheel.clear(new Note());
  await until(() => notes.some(({ moments }) => moments.length > 0));
  await wait(3 * STEP);
  assert.equal(notes.flatMap(({ moments }) => moments).length, 1);
  assert.deepEqual(never.moments, []);
});

test("clearing one of several in a slot leaves the others, wherever it is", async () => {
  for (const gone of [0, 1, 2]) {
    const wheel = new TimerWheel(LONGEST);
    const moment = performance.now() + 20;
    const notes = [new Note(), new Note(), new Note()];
    for (const note of notes) wheel.setAfter(note, moment);
    wheel.clear(notes[gone]);
    await until(() => notes.filter(({ moments }) => moments.length === 1).length === 2);
    assert.deepEqual(notes[gone].moments, []);
  }
});

test("a timer that is set again waits only for the new moment", async () => {
  const wheel = new TimerWheel(LONGEST);
  const [later, sooner] = [new Note(), new Note()];
  const start = performance.now();
  wheel.setAfter(later, start + 10);
  wheel.setAfter(later, start + 80);
  wheel.setAfter(sooner, start + 4_000);
  wheel.setAfter(sooner, start + 20);
  await until(() => later.moments.length > 0);
  assert.ok(later.moments[0] >= start + 80);
  assert.equal(sooner.moments.length, 1);
  await wait(3 * STEP);
  assert.deepEqual([later.moments.length, sooner.moments.length], [1, 1]);
});

test("set again within due: itself, and another that was due with it", async () => {
  const wheel = new TimerWheel(LONGEST);
  const moment = performance.now() + 20;
  const notes: Note[] = [];
  let rounds = 0;
  const setBoth = () => {
    if (++rounds > 1) return;
    for (const note of notes) wheel.setAfter(note, performance.now() + 50);
  };
  notes.push(new Note(setBoth), new Note(setBoth));
  for (const note of notes) wheel.setAfter(note, moment);
  await until(() => rounds >= 3);
  await wait(3 * STEP);
  // One of the two was due once before both waited again.
  assert.deepEqual(notes.map(({ moments }) => moments.length).sort(), [1, 2]);
  assert.equal(rounds, 3);
});

test("a timer that sets itself goes on for more than a round of the wheel", async () => {
  const wheel = new TimerWheel(20);
  let rounds = 0;
  const note: Note = new Note(() => {
    if (++rounds < 60) wheel.setAfter(note, performance.now() + 18);
  });
  wheel.setAfter(note, performance.now());
  await until(() => rounds === 60);
  note.moments.reduce((before, moment) => {
    assert.ok(moment >= before + 18);
    return moment;
  });
});

test("after a blocked event loop all due timers are called once, and the others wait", async () => {
  const wheel = new TimerWheel(51);
  const start = performance.now();
  const due = [5, 20, 50].map((delay) => {
    const note = new Note();
    wheel.setAfter(note, start + delay);
    return note;
  });
  // Several rounds of the wheel.
  block(1_200);
  const late = new Note();
  const end = performance.now() + 51;
  wheel.setAfter(late, end);
  await until(() => due.every(({ moments }) => moments.length > 0));
  await until(() => late.moments.length > 0);
  assert.ok(late.moments[0] >= end);
  assert.deepEqual(due.map(({ moments }) => moments.length), [1, 1, 1]);
});

test("many timers use one timer of the runtime, and an empty wheel uses none", async () => {
  await heldTimers((held) => {
    const wheel = new TimerWheel(LONGEST);
    assert.equal(held(), 0);
    const notes = Array.from({ length: 100 }, () => new Note());
    notes.forEach((note, index) => wheel.setAfter(note, performance.now() + 5_000 - 10 * index));
    assert.equal(held(), 1);
    for (const note of notes) wheel.clear(note);
    assert.equal(held(), 0);
  });
  const note = new Note();
  await heldTimers(async (held) => {
    const wheel = new TimerWheel(LONGEST);
    wheel.setAfter(note, performance.now() + 20);
    assert.equal(held(), 1);
    while (note.moments.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(held(), 0);
    // It can be used again.
    wheel.setAfter(note, performance.now() + 20);
    assert.equal(held(), 1);
    wheel.clear(note);
    assert.equal(held(), 0);
  });
});

test("an error of one is uncaught, and the others are due all the same", async () => {
  const uncaught: unknown[] = [];
  const { queueMicrotask: original } = globalThis;
  const wheel = new TimerWheel(LONGEST);
  const moment = performance.now() + 20;
  const broken = () => {
    globalThis.queueMicrotask = (callback) => {
      try {
        callback();
      } catch (error) {
        uncaught.push(error);
      }
    };
    throw new Error("broken");
  };
  const notes = [new Note(broken), new Note(broken), new Note(), new Note()];
  const after = new Note();
  for (const note of notes) wheel.setAfter(note, moment);
  wheel.setAfter(after, moment + 50);
  try {
    await until(() => after.moments.length > 0);
  } finally {
    globalThis.queueMicrotask = original;
  }
  assert.deepEqual(notes.map(({ moments }) => moments.length), [1, 1, 1, 1]);
  assert.deepEqual(uncaught.map(String), ["Error: broken", "Error: broken"]);
});
