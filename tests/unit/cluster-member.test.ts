/** The cluster as a member uses it, over JSON as between processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, TestCluster } from "../support/cluster.ts";

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true, () => done = true);
  await settled();
  return done;
}

test("slots, locks, dedupe keys and barriers are shared by all members", async () => {
  const cluster = new TestCluster();
  const [a, b] = [cluster.add(), cluster.add()];
  assert.equal(await a.member.acquireSlot("ws", 1), true);
  assert.equal(await b.member.acquireSlot("ws", 1), false);
  a.member.releaseSlot("ws");
  assert.equal(await b.member.acquireSlot("ws", 1), true);

  const [first, second, third] = [a, b, b].map(({ member }) => member.lock("key"));
  await first.held;
  assert.equal(await isSettled(second.held), false);
  // A withdrawn request resolves without the lock.
  second.release();
  await second.held;
  assert.equal(await isSettled(third.held), false);
  first.release();
  await third.held;
  b.end();
  await a.member.lock("key").held;

  const keys = a.member.dedupeStore(10);
  await keys.add("flow", "key", 0, 100);
  const late = cluster.add().member;
  assert.equal(await late.dedupeStore(10).has("flow", "key", 99), true);
  assert.equal(await late.dedupeStore(10).answer?.("flow", "key", 99), undefined);
  await keys.add("flow", "other", 0, 100, '{"a":1}');
  assert.equal(await late.dedupeStore(10).answer?.("flow", "other", 99), '{"a":1}');
  assert.equal(await late.dedupeStore(10).answer?.("flow", "none", 99), undefined);

  const meeting = a.member.barrier("drained");
  assert.equal(await isSettled(meeting), false);
  await late.barrier("drained");
  await meeting;
});

test("the leader does what the service does once, then its successor does", async () => {
  const cluster = new TestCluster();
  const [a, b] = [cluster.add(), cluster.add()];
  const done: string[] = [];
  const act = (name: string) => async (takesOver: boolean): Promise<void> => {
    await settled();
    done.push(`${name} ${takesOver ? "takes over" : "begins"}`);
    if (name === "broken") throw new Error("broken");
  };
  await a.member.whenLeader(act("a"));
  await b.member.whenLeader(act("broken"));
  await b.member.whenLeader(act("b"));
  assert.deepEqual(done, ["a begins"]);
  a.member.saveProgress("tick", { due: 1_000, ago: 250, unfinished: null });
  assert.equal(await b.member.loadProgress("other"), undefined);
  b.member.lead();
  assert.equal(b.member.leader, true);
  await settled();
  // The failure of one does not affect the others.
  assert.deepEqual(done, ["a begins", "broken takes over", "b takes over"]);
  const progress = await b.member.loadProgress("tick");
  assert.deepEqual({ ...progress, ago: 0 }, { due: 1_000, ago: 0, unfinished: null });
  assert.ok((progress?.ago ?? 0) >= 250);
  await b.member.whenLeader(act("late"));
  b.member.lead();
  assert.deepEqual(done.slice(3), ["late begins"]);
});

test("what one member has read, the others get unchanged", async () => {
  const cluster = new TestCluster();
  const [a, b] = [cluster.add().member, cluster.add().member];
  const value = { text: "\ud800", list: [1] };
  assert.deepEqual(await a.readOnce("__proto__", () => Promise.resolve(value)), value);
  const fail = () => Promise.reject(new Error("it is read again"));
  assert.deepEqual(await b.readOnce("__proto__", fail), value);
  assert.equal(await a.readOnce("nothing", () => Promise.resolve(undefined)), undefined);
  assert.equal(await b.readOnce("nothing", fail), undefined);
  // A failure is not kept.
  await assert.rejects(a.readOnce("other", fail), /read again/);
  assert.equal(await b.readOnce("other", () => Promise.resolve(1)), 1);
});

test("a disconnected member is alone, and waits for nothing", async () => {
  const cluster = new TestCluster();
  const [a, b] = [cluster.add(), cluster.add()];
  b.hang();
  const pending = [a.member.barrier("drained"), b.member.lock("key").held];
  await settled();
  a.disconnect();
  b.disconnect();
  assert.deepEqual(await Promise.all(pending), [undefined, undefined]);
  assert.equal(await a.member.acquireSlot("ws", 9), false);
  assert.equal(await a.member.dedupeStore(1).has("flow", "key", 0), false);
  assert.equal(await a.member.dedupeStore(1).answer?.("flow", "key", 0), undefined);
  await a.member.barrier("end");
  assert.equal(await a.member.loadProgress("tick"), undefined);
  a.member.saveProgress("tick", { due: 0, ago: 0, unfinished: 0 });
  assert.equal(await a.member.readOnce("tls", () => Promise.resolve(1)), 1);
  const lock = a.member.lock("key");
  await lock.held;
  lock.release();
  a.member.releaseSlot("ws");
});
