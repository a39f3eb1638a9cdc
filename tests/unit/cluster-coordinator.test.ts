/** What the members of a cluster share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Coordinator, CoordinatorFunctions, RemoteMember } from "../../src/cluster/mod.ts";
import { createCoordinator } from "../support/cluster.ts";

/** A member. */
interface Joined {
  readonly functions: CoordinatorFunctions;
  leave(): void;
}

function join(coordinator: Coordinator): Joined {
  const member: RemoteMember = { lead: () => {} };
  return { functions: coordinator.join(member), leave: () => coordinator.leave(member) };
}

/** Whether a promise is settled once all that can go on has done so. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  await new Promise((resolve) => setTimeout(resolve, 1));
  return settled;
}

test("members share slots, and those of a member that ends are free again", () => {
  const coordinator = createCoordinator();
  const [a, b] = [join(coordinator), join(coordinator)];
  assert.deepEqual(
    [a, b, a, b].map(({ functions }) => functions.acquireSlot("ws", 3)),
    [true, true, true, false],
  );
  // Another connector has slots of its own, whatever its name.
  assert.equal(b.functions.acquireSlot("__proto__", 1), true);
  assert.equal(a.functions.acquireSlot("__proto__", 1), false);
  b.functions.releaseSlot("ws");
  assert.equal(a.functions.acquireSlot("ws", 3), true);
  assert.equal(b.functions.acquireSlot("ws", 3), false);
  a.leave();
  assert.deepEqual(Array.from({ length: 4 }, () => b.functions.acquireSlot("ws", 3)), [
    ...[true, true, true],
    false,
  ]);
  // Releasing a slot that it does not hold adds none.
  const c = join(coordinator);
  c.functions.releaseSlot("ws");
  assert.equal(c.functions.acquireSlot("ws", 3), false);
});

test("a lock is granted in the order of the requests", async () => {
  const coordinator = createCoordinator();
  const [a, b, c] = ["a", "b", "c"].map(() => join(coordinator).functions);
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

test("the lock of a member that ends goes to the next one; withdrawn requests are skipped", async () => {
  const coordinator = createCoordinator();
  const [a, b, c, d] = ["a", "b", "c", "d"].map(() => join(coordinator));
  await a.functions.lock("1", "key");
  const waiting = b.functions.lock("2", "key");
  void c.functions.lock("3", "key");
  const last = d.functions.lock("4", "key");
  b.functions.unlock("2");
  // The promise of a withdrawn request resolves, too.
  await waiting;
  assert.equal(await isSettled(last), false);
  c.leave();
  assert.equal(await isSettled(last), false);
  a.leave();
  await last;
});

test("all members know the keys of a flow until they expire", () => {
  const coordinator = createCoordinator();
  const [a, b] = [join(coordinator).functions, join(coordinator).functions];
  assert.equal(b.hasKey("flow", "k", 0), false);
  a.addKey("flow", "k", 0, 100, null, 2);
  assert.deepEqual([b.hasKey("flow", "k", 99), b.hasKey("flow", "k", 100)], [true, false]);
  assert.equal(b.hasKey("other", "k", 0), false);
  b.addKey("flow", "l", 1, 101, null, 2);
  b.addKey("flow", "m", 2, 102, null, 2);
  assert.deepEqual(["k", "l", "m"].map((key) => a.hasKey("flow", key, 3)), [false, true, true]);
});

test("a barrier opens when every member has reached it", async () => {
  const coordinator = createCoordinator();
  const [a, b, c] = ["a", "b", "c"].map(() => join(coordinator));
  const first = a.functions.barrier("drained");
  assert.equal(await isSettled(first), false);
  const second = b.functions.barrier("drained");
  assert.equal(await isSettled(second), false);
  const elsewhere = c.functions.barrier("__proto__");
  assert.deepEqual([await isSettled(first), await isSettled(elsewhere)], [false, false]);
  // A member that never reaches it blocks the others until it ends.
  c.leave();
  await Promise.all([first, second]);
  await a.functions.barrier("drained");
  const alone = a.functions.barrier("next");
  assert.equal(await isSettled(alone), false);
  b.leave();
  await alone;
});

test("the progress of a schedule outlives its member, until there is no leader", () => {
  const coordinator = createCoordinator();
  const [a, b] = [join(coordinator), join(coordinator)];
  a.functions.saveProgress("__proto__", { due: 1, ago: 0, unfinished: 2 });
  a.leave();
  assert.equal(b.functions.loadProgress("toString"), null);
  const { due, unfinished } = b.functions.loadProgress("__proto__") ?? {};
  assert.deepEqual([due, unfinished], [1, 2]);
  coordinator.elect();
  assert.equal(b.functions.loadProgress("__proto__"), null);
});

test("the first member is the leader; after it the oldest that is ready", () => {
  const coordinator = createCoordinator();
  const led: string[] = [];
  const members = ["a", "b", "c", "d"].map((name): RemoteMember => ({
    lead: () => void led.push(name),
  }));
  const [a, b, c, d] = members;
  for (const member of [a, b, c]) coordinator.join(member);
  const leaders = () => members.map((member) => coordinator.isLeader(member));
  assert.deepEqual(leaders(), [true, false, false, false]);
  for (const member of [c, a]) coordinator.ready(member);
  coordinator.elect();
  assert.deepEqual(led, [], "the first leader is not notified");
  coordinator.leave(a);
  assert.deepEqual(leaders(), [false, false, false, false]);
  coordinator.elect();
  coordinator.ready(b);
  coordinator.elect();
  assert.deepEqual([led, leaders()], [["c"], [false, false, true, false]]);
  coordinator.leave(c);
  coordinator.elect();
  coordinator.leave(b);
  coordinator.elect();
  // One that joins while there is no leader must be ready first, even if it is alone.
  coordinator.join(d);
  coordinator.elect();
  assert.deepEqual(leaders(), [false, false, false, false]);
  coordinator.ready(d);
  coordinator.elect();
  assert.deepEqual([led, leaders()], [["c", "b", "d"], [false, false, false, true]]);
  coordinator.leave(d);
  coordinator.ready(d);
  coordinator.elect();
  assert.deepEqual(leaders(), [false, false, false, false]);
});
