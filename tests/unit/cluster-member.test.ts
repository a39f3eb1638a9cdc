/** The cluster as a member uses it, over JSON as between processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfTick } from "../../src/base/clock.ts";
import { type LinkedMember, settled, TestCluster } from "../support/cluster.ts";

/** Collects the messages of a connector; `answer` is its response to requests. */
function listen(
  { member }: LinkedMember,
  connector = "ws",
  answer: unknown = undefined,
): unknown[] {
  const heard: unknown[] = [];
  member.channel(connector).subscribe((message) => {
    heard.push(message);
    return answer;
  });
  return heard;
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => done = true, () => done = true);
  await settled();
  return done;
}

test("the messages of one tick are sent together, and arrive in order at the same connector", async () => {
  const cluster = new TestCluster();
  const [a, b] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
  const [ws, other] = [listen(b), listen(b, "other")];
  const own = listen(a);
  assert.deepEqual([a.member.leader, b.member.leader], [true, false]);
  for (let n = 0; n < 100; n++) a.member.channel(n % 2 === 0 ? "ws" : "other").publish(n);
  a.member.channel("no subscriber").publish("lost");
  await settled();
  assert.deepEqual(ws, Array.from({ length: 50 }, (_, n) => 2 * n));
  assert.deepEqual(other, Array.from({ length: 50 }, (_, n) => 2 * n + 1));
  assert.deepEqual(own, []);
  assert.deepEqual(a.called, ["subscribe", "publish"]);
});

test("messages of successive ticks are sent together, too, but not kept for ever", async () => {
  const cluster = new TestCluster();
  const [a, b] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
  const heard = listen(b);
  const count = 200;
  for (let n = 0; n < count; n++) {
    a.member.channel("ws").publish(n);
    await new Promise<void>(endOfTick);
  }
  await settled();
  assert.deepEqual(heard, Array.from({ length: count }, (_, n) => n));
  const messages = a.called.length - 1;
  assert.ok(messages >= 10 && messages <= 20, `${messages} messages`);
});

test("a request arrives after the messages before it; all others respond", async () => {
  const cluster = new TestCluster();
  const a = await cluster.addSubscribed();
  assert.deepEqual(await a.member.channel("ws").request("alone?"), []);
  const [b, c] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
  const heard = listen(b, "ws", { from: "b" });
  const channel = a.member.channel("ws");
  channel.publish("first");
  const asking = channel.request("second");
  channel.publish("third");
  // The connector of the other member has not subscribed.
  assert.deepEqual(await asking, [{ from: "b" }, null]);
  await settled();
  assert.deepEqual(heard, ["first", "second", "third"]);
  c.hang();
  const waiting = channel.request("is anybody there?");
  assert.equal(await isSettled(waiting), false);
  c.end();
  assert.deepEqual(await waiting, [{ from: "b" }]);
});

test("a member that has not subscribed receives nothing, and blocks no request", async () => {
  const cluster = new TestCluster();
  const [a, b] = [await cluster.addSubscribed(), cluster.add()];
  const heard = listen(b, "ws", "yes");
  b.hang();
  a.member.channel("ws").publish("too early");
  assert.deepEqual(await a.member.channel("ws").request("too early"), []);
  b.wakeUp();
  await b.member.subscribe();
  a.member.channel("ws").publish("now");
  assert.deepEqual(await a.member.channel("ws").request("and now"), ["yes"]);
  assert.deepEqual(heard, ["now", "and now"]);
});

test("any text arrives unchanged, even a megabyte", async () => {
  const cluster = new TestCluster();
  const [a, b] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
  const heard = listen(b, "__proto__", "\ud800");
  const messages = [
    '\u2028\u2029\0\ud800 \udc00\u{1f600}\r\n"\\',
    JSON.parse('{"__proto__":{"room":"__proto__"},"constructor":1}'),
    "x".repeat(1024 * 1024),
    [null, 0, -0.5, true, {}],
  ];
  const channel = a.member.channel("__proto__");
  for (const message of messages) channel.publish(message);
  assert.deepEqual(await channel.request(messages[0]), ["\ud800"]);
  assert.deepEqual(heard, [...messages, messages[0]]);
});

test("a message that is not JSON throws; messages before and after it are sent", async () => {
  const cluster = new TestCluster();
  const [a, b] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
  const heard = listen(b);
  const channel = a.member.channel("ws");
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  channel.publish("before");
  assert.throws(() => channel.publish({ n: 1n }), TypeError);
  assert.throws(() => channel.publish(circular), TypeError);
  await assert.rejects(channel.request({ n: 1n }), TypeError);
  channel.publish("after");
  await settled();
  assert.deepEqual(heard, ["before", "after"]);
});

test("a publisher that is too fast waits until the others have caught up, or have ended", async () => {
  for (const way of ["wakeUp", "end"] as const) {
    const cluster = new TestCluster();
    const [a, b] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
    const quick = listen(await cluster.addSubscribed());
    const slow = listen(b);
    b.hang();
    const channel = a.member.channel("ws");
    const megabyte = "x".repeat(1024 * 1024);
    let told = 0;
    let behind: Promise<void> | undefined;
    while (behind === undefined) {
      behind = channel.publish(megabyte);
      assert.ok(++told < 100, "it is never told to wait");
      await settled();
    }
    assert.ok(told <= 5, `${told} MB wait`);
    // The other members have received everything.
    assert.deepEqual([quick.length, slow.length], [told, 0]);
    assert.equal(await isSettled(behind), false);
    b[way]();
    await behind;
    assert.equal(slow.length, way === "end" ? 0 : told);
    assert.equal(channel.publish("x"), undefined);
    await settled();
    // Small messages need no sync.
    const before = a.called.length;
    for (let n = 0; n < 1000; n++) assert.equal(channel.publish("x"), undefined);
    await settled();
    assert.deepEqual(a.called.slice(before), ["publish"]);
  }
});

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
  const [a, b] = [await cluster.addSubscribed(), await cluster.addSubscribed()];
  b.hang();
  const channel = a.member.channel("ws");
  const pending = [
    channel.request("anybody?"),
    a.member.barrier("drained"),
    b.member.lock("key").held,
  ];
  const behind = Array.from({ length: 9 }, () => channel.publish("x".repeat(1024 * 1024)));
  await settled();
  a.disconnect();
  b.disconnect();
  assert.deepEqual(await Promise.all(pending), [[], undefined, undefined]);
  await Promise.all(behind);
  assert.equal(await a.member.acquireSlot("ws", 9), false);
  assert.deepEqual(await channel.request("anybody now?"), []);
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
  for (let n = 0; n < 9; n++) await channel.publish("x".repeat(1024 * 1024));
});
