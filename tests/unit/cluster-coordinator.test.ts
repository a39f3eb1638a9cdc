/** What the members of a cluster share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  ChannelMessage,
  Coordinator,
  CoordinatorFunctions,
  RemoteMember,
} from "../../src/cluster/mod.ts";
import { createCoordinator } from "../support/cluster.ts";

/** A member that keeps the messages it receives, and responds with its name. */
interface Joined {
  readonly received: ChannelMessage[];
  readonly functions: CoordinatorFunctions;
  leave(): void;
}

function join(
  coordinator: Coordinator,
  name: string,
  overrides: Partial<RemoteMember> = {},
): Joined {
  const received: ChannelMessage[] = [];
  const member: RemoteMember = {
    lead: () => {},
    deliver: (messages) => void received.push(...messages),
    respond: (connector, text) => Promise.resolve(`${name} ${connector} ${text}`),
    ping: () => Promise.resolve(),
    ...overrides,
  };
  const functions = coordinator.join(member);
  functions.subscribe();
  return { received, functions, leave: () => coordinator.leave(member) };
}

/** Whether a promise is settled once all that can go on has done so. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  await new Promise((resolve) => setTimeout(resolve, 1));
  return settled;
}

test("a message reaches all other members, in order, but none that has left", () => {
  const coordinator = createCoordinator();
  const [a, b, c] = ["a", "b", "c"].map((name) => join(coordinator, name));
  a.functions.publish([["ws", "1"], ["other", "2"]]);
  b.functions.publish([["ws", "3"]]);
  c.leave();
  a.functions.publish([["ws", "4"]]);
  assert.deepEqual(a.received, [["ws", "3"]]);
  assert.deepEqual(b.received, [["ws", "1"], ["other", "2"], ["ws", "4"]]);
  assert.deepEqual(c.received, [["ws", "1"], ["other", "2"], ["ws", "3"]]);
  b.leave();
  a.functions.publish([["ws", "5"]]);
  assert.equal(b.received.length, 3);
});

test("all other members respond; one that ends before it responds is left out", async () => {
  const coordinator = createCoordinator();
  const a = join(coordinator, "a");
  assert.deepEqual(await a.functions.request("ws", "alone?"), []);
  join(coordinator, "b");
  join(coordinator, "c", { respond: () => Promise.reject(new Error("it has ended")) });
  const later = Promise.withResolvers<string>();
  join(coordinator, "d", { respond: () => later.promise });
  const asking = a.functions.request("ws", "who?");
  assert.equal(await isSettled(asking), false);
  later.resolve("d at last");
  assert.deepEqual(await asking, ["b ws who?", "d at last"]);
});

test("a member that has not subscribed receives no messages and no requests", async () => {
  const coordinator = createCoordinator();
  const a = join(coordinator, "a");
  const received: ChannelMessage[] = [];
  const starting = coordinator.join({
    lead: () => {},
    deliver: (messages) => void received.push(...messages),
    respond: () => new Promise(() => {}),
    ping: () => new Promise(() => {}),
  });
  a.functions.publish([["ws", "1"]]);
  assert.deepEqual(await a.functions.request("ws", "?"), []);
  await a.functions.sync();
  // It can publish, and takes part in everything else.
  starting.publish([["ws", "2"]]);
  assert.deepEqual(a.received, [["ws", "2"]]);
  assert.equal(starting.acquireSlot("ws", 1), true);
  assert.equal(a.functions.acquireSlot("ws", 1), false);
  starting.subscribe();
  a.functions.publish([["ws", "3"]]);
  assert.deepEqual(received, [["ws", "3"]]);
});

test("a sync ends when every other member has handled everything, or has ended", async () => {
  const coordinator = createCoordinator();
  const a = join(coordinator, "a");
  await a.functions.sync();
  const [b, c] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  join(coordinator, "b", { ping: () => b.promise });
  join(coordinator, "c", { ping: () => c.promise });
  const waiting = a.functions.sync();
  b.resolve();
  assert.equal(await isSettled(waiting), false);
  c.reject(new Error("it has ended"));
  await waiting;
});

test("members share slots, and those of a member that ends are free again", () => {
  const coordinator = createCoordinator();
  const [a, b] = [join(coordinator, "a"), join(coordinator, "b")];
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
  const c = join(coordinator, "c");
  c.functions.releaseSlot("ws");
  assert.equal(c.functions.acquireSlot("ws", 3), false);
});

test("a lock is granted in the order of the requests", async () => {
  const coordinator = createCoordinator();
  const [a, b, c] = ["a", "b", "c"].map((name) => join(coordinator, name).functions);
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
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => join(coordinator, name));
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
  const [a, b] = [join(coordinator, "a").functions, join(coordinator, "b").functions];
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
  const [a, b, c] = ["a", "b", "c"].map((name) => join(coordinator, name));
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
  const [a, b] = [join(coordinator, "a"), join(coordinator, "b")];
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
    deliver: () => {},
    respond: () => Promise.resolve(""),
    ping: () => Promise.resolve(),
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
