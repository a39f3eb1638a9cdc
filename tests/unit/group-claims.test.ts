/** What the instances of a group share for dedupe. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { sharedDedupe } from "../../src/cluster/claims.ts";
import { BackplaneError, type SharedKeys } from "../../src/contract/backplane.ts";
import type { Lock } from "../../src/contract/cluster.ts";
import { ManualClock } from "../support/clock.ts";
import { recorder } from "../support/log.ts";
import { type TestInstance, TestService, ticks } from "../support/groups.ts";

function lock({ group }: TestInstance, name = "order 7"): Lock {
  assert.ok(group.shared !== undefined);
  return group.shared.lock(name);
}

/** Notes when a lock is held. */
async function watch(one: Lock, name: string, log: string[]): Promise<void> {
  await one.held;
  log.push(name);
}

test("a lock has one holder at a time, and is renewed while it is held", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const log: string[] = [];
  const first = lock(a);
  await watch(first, "a", log);
  const second = lock(b);
  const waiting = watch(second, "b", log);
  await watch(lock(b, "order 8"), "another", log);
  await service.advance(30_000, 1_000);
  assert.deepEqual(log, ["a", "another"]);
  first.release();
  first.release();
  await service.advance(300);
  await waiting;
  assert.deepEqual(log, ["a", "another", "b"]);
  second.release();
  await service.close();
});

test("two requests of one instance wait for each other, too", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const log: string[] = [];
  const first = lock(a);
  await watch(first, "1", log);
  const second = lock(a);
  const waiting = watch(second, "2", log);
  await service.advance(500);
  assert.deepEqual(log, ["1"]);
  first.release();
  await service.advance(300);
  await waiting;
  second.release();
  await service.close();
});

test("the lock of an instance that is known to be dead is free", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  await lock(a).held;
  const log: string[] = [];
  const waiting = watch(lock(b), "b", log);
  const closed = a.group.close();
  await service.advance(100);
  await closed;
  service.blocked.add(a);
  await service.advance(300);
  await waiting;
  assert.deepEqual(log, ["b"]);
  await service.close();
});

test("the lock of an instance that stops renewing it is free after ten seconds, and it hears of that", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  await lock(a).held;
  service.blocked.add(a);
  const log: string[] = [];
  const waiting = watch(lock(b), "b", log);
  await service.advance(5_000, 250);
  assert.deepEqual(log, []);
  await service.advance(6_000, 250);
  await waiting;
  await service.wake(a);
  assert.equal(a.log.filter((line) => line.includes("another instance has taken over")).length, 1);
  await service.close();
});

test("a request that is withdrawn neither takes the lock nor waits", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const first = lock(a);
  await first.held;
  const second = lock(b);
  await ticks();
  second.release();
  await second.held;
  first.release();
  await service.advance(300);
  const third = lock(a);
  await third.held;
  third.release();
  await service.close();
});

test("while the broker is away a lock and a key fail", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const held = lock(a);
  await held.held;
  a.link.cut();
  await assert.rejects(lock(a, "order 8").held, BackplaneError);
  const { store } = a.group.shared ?? assert.fail();
  await assert.rejects(async () => await store.has("flow", "key", 0), BackplaneError);
  // A renewal that fails is tried again.
  await service.advance(3_500, 250);
  assert.equal(a.log.filter((line) => line.includes("could not renew")).length, 1);
  a.link.mend();
  await service.advance(3_500, 250);
  held.release();
  a.link.cut();
  await service.close();
});

test("no log line has the key, which a client has sent", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const held = lock(a, 'dedupe pay ["ada","secret"]');
  await held.held;
  a.link.cut();
  await service.advance(12_000, 250);
  const other = lock(b, 'dedupe pay ["ada","secret"]');
  await other.held;
  a.link.mend();
  await service.advance(5_000, 250);
  const late = lock(a, 'dedupe pay ["bob","secret"]');
  await late.held;
  a.link.cut();
  held.release();
  late.release();
  other.release();
  await ticks();
  for (const words of ["could not renew", "has taken over", "could not release"]) {
    assert.ok(a.log.some((line) => line.includes(words)), `${words} in ${a.log.join("\n")}`);
  }
  assert.ok(!a.log.some((line) => line.includes("secret")), a.log.join("\n"));
  await service.close();
});

test("all instances know a key with its answer until its time is over", async () => {
  const service = new TestService();
  const [a, b] = [await service.start("a"), await service.start("b")];
  const [one, other] = [a, b].map(({ group }) => group.shared?.store ?? assert.fail());
  assert.equal(await other.has("flow", "k", 0), false);
  await one.add("flow", "k", 1_000, 61_000, '{"data":1}');
  await one.add("flow", "silent", 1_000, 61_000);
  await one.add("flow", "empty", 1_000, 61_000, "");
  assert.equal(await other.has("flow", "k", 0), true);
  assert.equal(await other.has("other flow", "k", 0), false);
  assert.equal(await other.answer?.("flow", "k", 0), '{"data":1}');
  assert.equal(await other.answer?.("flow", "silent", 0), undefined);
  assert.equal(await other.answer?.("flow", "empty", 0), "");
  await other.add("flow", "k", 1_000, 31_000, "later");
  assert.equal(await one.answer?.("flow", "k", 0), "later");
  await service.advance(31_000, 1_000);
  assert.equal(await other.has("flow", "k", 0), false);
  await service.close();
});

test("a lock waits for nothing where the broker has no keys, and fails where it is away", async () => {
  for (const missing of [true, false]) {
    const refuse = () => Promise.reject(new BackplaneError("no keys"));
    const keys = { add: refuse, get: refuse, replace: refuse, remove: refuse, missing };
    const { logger, records } = recorder();
    const isDead = () => false;
    const { lock, store } = sharedDedupe({ id: "a", keys, clock: systemClock, logger, isDead });
    const one = lock("order 7");
    if (missing) await one.held;
    else await assert.rejects(one.held, { message: "no keys" });
    one.release();
    await assert.rejects(async () => await store.has("f", "order 7", 0), { message: "no keys" });
    await ticks();
    assert.equal(records.length, missing ? 0 : 1);
  }
});

test("a lock that is released while it is renewed is released after that", async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const { promise: answered, resolve: answer } = Promise.withResolvers<boolean>();
  const keys: SharedKeys = {
    add: () => Promise.resolve(undefined),
    get: () => Promise.resolve(undefined),
    replace() {
      asked.push("replace");
      return answered;
    },
    remove() {
      asked.push("remove");
      return Promise.resolve();
    },
  };
  const { logger, records } = recorder();
  const { lock } = sharedDedupe({ id: "a", keys, clock, logger, isDead: () => false });
  const one = lock("order 7");
  await one.held;
  await clock.advance(3_000);
  one.release();
  await ticks();
  assert.deepEqual(asked, ["replace"]);
  answer(true);
  await ticks();
  await clock.advance(10_000);
  assert.deepEqual(asked, ["replace", "remove"]);
  assert.deepEqual(records, []);
});
