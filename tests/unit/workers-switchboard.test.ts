/** What the workers of a service share, where they all sit: with their supervisor. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Said } from "../../src/workers/messages.ts";
import { type Member, type Service, Switchboard } from "../../src/workers/switchboard.ts";

/** A worker that notes what it hears, and answers with its name. */
interface Seat {
  readonly heard: Said[];
  readonly service: Service;
  leave(): void;
}

function join(switchboard: Switchboard, name: string, overrides: Partial<Member> = {}): Seat {
  const heard: Said[] = [];
  const member: Member = {
    hear: (said) => void heard.push(...said),
    answer: (connector, text) => Promise.resolve(`${name} ${connector} ${text}`),
    caughtUp: () => Promise.resolve(),
    ...overrides,
  };
  const service = switchboard.join(member);
  service.attend();
  return { heard, service, leave: () => switchboard.leave(member) };
}

/** Whether a promise is settled once all that can go on has done so. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  await new Promise((resolve) => setTimeout(resolve, 1));
  return settled;
}

test("what one tells all others hear, in order, and nobody who has left", () => {
  const switchboard = new Switchboard();
  const [a, b, c] = ["a", "b", "c"].map((name) => join(switchboard, name));
  a.service.tell([["ws", "1"], ["other", "2"]]);
  b.service.tell([["ws", "3"]]);
  c.leave();
  a.service.tell([["ws", "4"]]);
  assert.deepEqual(a.heard, [["ws", "3"]]);
  assert.deepEqual(b.heard, [["ws", "1"], ["other", "2"], ["ws", "4"]]);
  assert.deepEqual(c.heard, [["ws", "1"], ["other", "2"], ["ws", "3"]]);
  b.leave();
  a.service.tell([["ws", "5"]]);
  assert.equal(b.heard.length, 3);
});

test("all others answer; one that ends before it has answered is left out", async () => {
  const switchboard = new Switchboard();
  const a = join(switchboard, "a");
  assert.deepEqual(await a.service.ask("ws", "alone?"), []);
  join(switchboard, "b");
  join(switchboard, "c", { answer: () => Promise.reject(new Error("it has ended")) });
  const later = Promise.withResolvers<string>();
  join(switchboard, "d", { answer: () => later.promise });
  const asking = a.service.ask("ws", "who?");
  assert.equal(await isSettled(asking), false);
  later.resolve("d at last");
  assert.deepEqual(await asking, ["b ws who?", "d at last"]);
});

test("one that does not attend yet hears nothing and is not asked", async () => {
  const switchboard = new Switchboard();
  const a = join(switchboard, "a");
  const heard: Said[] = [];
  const starting = switchboard.join({
    hear: (said) => void heard.push(...said),
    answer: () => new Promise(() => {}),
    caughtUp: () => new Promise(() => {}),
  });
  a.service.tell([["ws", "1"]]);
  assert.deepEqual(await a.service.ask("ws", "?"), []);
  await a.service.caughtUp();
  // It can tell, and has its part in all else.
  starting.tell([["ws", "2"]]);
  assert.deepEqual(a.heard, [["ws", "2"]]);
  assert.equal(starting.acquireSlot("ws", 1), true);
  assert.equal(a.service.acquireSlot("ws", 1), false);
  starting.attend();
  a.service.tell([["ws", "3"]]);
  assert.deepEqual(heard, [["ws", "3"]]);
});

test("the others have caught up once each of them has, or has ended", async () => {
  const switchboard = new Switchboard();
  const a = join(switchboard, "a");
  await a.service.caughtUp();
  const [b, c] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  join(switchboard, "b", { caughtUp: () => b.promise });
  join(switchboard, "c", { caughtUp: () => c.promise });
  const waiting = a.service.caughtUp();
  b.resolve();
  assert.equal(await isSettled(waiting), false);
  c.reject(new Error("it has ended"));
  await waiting;
});

test("seats are taken by all together, and those of one that ends are free again", () => {
  const switchboard = new Switchboard();
  const [a, b] = [join(switchboard, "a"), join(switchboard, "b")];
  assert.deepEqual(
    [a, b, a, b].map(({ service }) => service.acquireSlot("ws", 3)),
    [true, true, true, false],
  );
  // Another connector has seats of its own, whatever it is called.
  assert.equal(b.service.acquireSlot("__proto__", 1), true);
  assert.equal(a.service.acquireSlot("__proto__", 1), false);
  b.service.releaseSlot("ws");
  assert.equal(a.service.acquireSlot("ws", 3), true);
  assert.equal(b.service.acquireSlot("ws", 3), false);
  a.leave();
  assert.deepEqual(Array.from({ length: 4 }, () => b.service.acquireSlot("ws", 3)), [
    ...[true, true, true],
    false,
  ]);
  // One that gives back what it does not have makes no seat of it.
  const c = join(switchboard, "c");
  c.service.releaseSlot("ws");
  assert.equal(c.service.acquireSlot("ws", 3), false);
});

test("a lock is given in the order in which it was asked for", async () => {
  const switchboard = new Switchboard();
  const [a, b, c] = ["a", "b", "c"].map((name) => join(switchboard, name).service);
  const first = a.lock("1", "key");
  const second = b.lock("2", "key");
  const third = c.lock("3", "key");
  const other = c.lock("4", "__proto__");
  await Promise.all([first, other]);
  assert.deepEqual([await isSettled(second), await isSettled(third)], [false, false]);
  a.unlock("1");
  await second;
  assert.equal(await isSettled(third), false);
  b.unlock("2");
  b.unlock("2");
  await third;
  c.unlock("3");
  c.unlock("never asked for");
  await a.lock("5", "key");
});

test("the lock of one that ends goes to the next; who waits for nothing any more is passed over", async () => {
  const switchboard = new Switchboard();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => join(switchboard, name));
  await a.service.lock("1", "key");
  const waiting = b.service.lock("2", "key");
  void c.service.lock("3", "key");
  const last = d.service.lock("4", "key");
  b.service.unlock("2");
  // Nobody waits for ever: who gave up is let go as well.
  await waiting;
  assert.equal(await isSettled(last), false);
  c.leave();
  assert.equal(await isSettled(last), false);
  a.leave();
  await last;
});

test("keys are known to all, flow by flow, until they run out", () => {
  const switchboard = new Switchboard();
  const [a, b] = [join(switchboard, "a").service, join(switchboard, "b").service];
  assert.equal(b.hasKey("flow", "k", 0), false);
  a.addKey("flow", "k", 0, 100, 2);
  assert.deepEqual([b.hasKey("flow", "k", 99), b.hasKey("flow", "k", 100)], [true, false]);
  assert.equal(b.hasKey("other", "k", 0), false);
  b.addKey("flow", "l", 1, 101, 2);
  b.addKey("flow", "m", 2, 102, 2);
  assert.deepEqual(["k", "l", "m"].map((key) => a.hasKey("flow", key, 3)), [false, true, true]);
});

test("a step is taken together: by those who are there", async () => {
  const switchboard = new Switchboard();
  const [a, b, c] = ["a", "b", "c"].map((name) => join(switchboard, name));
  const first = a.service.barrier("drained");
  assert.equal(await isSettled(first), false);
  const second = b.service.barrier("drained");
  assert.equal(await isSettled(second), false);
  const elsewhere = c.service.barrier("__proto__");
  assert.deepEqual([await isSettled(first), await isSettled(elsewhere)], [false, false]);
  // One that never comes keeps all waiting for as long as it lives.
  c.leave();
  await Promise.all([first, second]);
  await a.service.barrier("drained");
  const alone = a.service.barrier("next");
  assert.equal(await isSettled(alone), false);
  b.leave();
  await alone;
});

test("how far a schedule has come outlives the worker that has run it, until nobody runs it", () => {
  const switchboard = new Switchboard();
  const [a, b] = [join(switchboard, "a"), join(switchboard, "b")];
  a.service.saveProgress("__proto__", { due: 1, ago: 0, unfinished: 2 });
  a.leave();
  assert.equal(b.service.loadProgress("toString"), null);
  const { due, unfinished } = b.service.loadProgress("__proto__") ?? {};
  assert.deepEqual([due, unfinished], [1, 2]);
  switchboard.forgetProgress();
  assert.equal(b.service.loadProgress("__proto__"), null);
});
