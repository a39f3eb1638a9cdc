import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeadLetterTable } from "../../src/connectors/database/changes/dead-letters.ts";
import { ChangeDeliveries } from "../../src/connectors/database/changes/deliveries.ts";
import type { Change } from "../../src/connectors/database/changes/feed.ts";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { Subscriptions } from "../../src/contract/subscriptions.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { failure, flow, keepingLogger, type LogLine } from "../support/mq.ts";

const change = (id: number): Change => ({
  operation: "INSERT",
  table: "t",
  row: { id },
  old: null,
  unchanged: [],
  lsn: `0/${id}`,
  committedAt: "",
});

/** Deliveries to one flow; `feed` has what they asked of the feed. */
function made(run: (event: FlowEvent) => unknown, keep?: () => Promise<void>) {
  const feed: string[] = [];
  const log: LogLine[] = [];
  const clock = new ManualClock();
  const subscriptions = new Subscriptions(() => () => true);
  subscriptions.add(undefined, flow(run));
  const counts = { consumed: 0, acked: 0, retried: 0, dead_lettered: 0, discarded: 0 };
  const deadLetters = keep && { table: "dead", add: keep } as unknown as DeadLetterTable;
  const deliveries = new ChangeDeliveries({
    subscriptions,
    feed: {
      pause: () => void feed.push("pause"),
      resume: () => void feed.push("resume"),
      confirm: (position) => void feed.push(String(position)),
    },
    settings: { maxRetries: 2, retryDelay: 1000 },
    deadLetters,
    counts,
    logger: keepingLogger(log),
    clock,
  });
  return { deliveries, feed, log, clock, counts };
}

test("where no flow has to wait, all is settled within the call", () => {
  const seen: unknown[] = [];
  const { deliveries, feed, counts } = made(({ input }) => void seen.push(input.id));
  deliveries.change(change(1), 10);
  deliveries.change(change(2), 10);
  assert.deepEqual([seen, feed], [[1, 2], []]);
  deliveries.end(7n);
  assert.deepEqual(feed, ["7"]);
  assert.deepEqual([counts.consumed, counts.acked], [2, 2]);
});

test("one after the other, and nothing is confirmed before all of a commit is done", async () => {
  const seen: string[] = [];
  const ends: (() => void)[] = [];
  const { deliveries, feed } = made(({ input }) => {
    seen.push(String(input.id));
    return new Promise<void>((resolve) => ends.push(resolve));
  });
  for (const id of [1, 2]) deliveries.change(change(id), 10);
  deliveries.end(5n);
  deliveries.change(change(3), 10);
  deliveries.end(6n);
  await settle();
  assert.deepEqual([seen, feed], [["1"], []]);
  ends[0]();
  await settle();
  assert.deepEqual([seen, feed], [["1", "2"], []]);
  ends[1]();
  await settle();
  assert.deepEqual([seen, feed], [["1", "2", "3"], ["5"]]);
  ends[2]();
  await deliveries.drain();
  assert.deepEqual(feed, ["5", "6"]);
});

test("what fails is repeated in its place, and what follows waits", async () => {
  let attempts = 0;
  const seen: unknown[] = [];
  const { deliveries, feed, clock, counts } = made(({ input }) => {
    seen.push(input.id);
    if (input.id === 1 && ++attempts < 3) throw failure();
  });
  deliveries.change(change(1), 10);
  deliveries.change(change(2), 10);
  deliveries.end(5n);
  await clock.advance(999);
  assert.deepEqual(seen, [1]);
  await clock.advance(1);
  assert.deepEqual(seen, [1, 1]);
  await clock.advance(1000);
  assert.deepEqual([seen, feed], [[1, 1, 1, 2], ["5"]]);
  assert.deepEqual(counts, { consumed: 4, acked: 2, retried: 2, dead_lettered: 0, discarded: 0 });
});

test("reading pauses at a thousand changes or some megabytes, and goes on at the half", async () => {
  for (const [count, size] of [[1000, 10], [4, 1024 * 1024]]) {
    const go = Promise.withResolvers<void>();
    const { deliveries, feed } = made(({ input }) => input.id === 0 ? go.promise : undefined);
    for (let id = 0; id <= count; id++) {
      assert.deepEqual(feed, []);
      deliveries.change(change(id), size);
    }
    assert.deepEqual(feed, ["pause"]);
    go.resolve();
    await deliveries.drain();
    assert.deepEqual(feed, ["pause", "resume"]);
  }
});

test("a new beginning forgets what was read, and waits for the change at work", async () => {
  const seen: unknown[] = [];
  const go = Promise.withResolvers<void>();
  const { deliveries, feed, clock } = made(({ input }) => {
    seen.push(input.id);
    if (seen.length === 1) return go.promise;
    if (seen.length === 2) throw failure();
  });
  deliveries.change(change(1), 10);
  deliveries.change(change(2), 10);
  deliveries.end(5n);
  let begun = false;
  const beginning = deliveries.begin().then(() => begun = true);
  await settle();
  assert.equal(begun, false);
  go.resolve();
  await beginning;
  assert.deepEqual([seen, feed], [[1], []]);
  // The wait for another delivery ends, too: the server sends the change again.
  deliveries.change(change(1), 10);
  await settle();
  await deliveries.begin();
  await clock.advance(10_000);
  assert.deepEqual([seen, feed, clock.waiting], [[1, 1], [], 0]);
});

test("a stop keeps the rest of a transaction that has been read to its end, and nothing else", async () => {
  for (const whole of [true, false]) {
    const seen: unknown[] = [];
    const go = Promise.withResolvers<void>();
    const { deliveries, feed } = made(({ input }) => {
      seen.push(input.id);
      if (input.id === 1) return go.promise;
    });
    deliveries.change(change(1), 10);
    deliveries.change(change(2), 10);
    if (whole) {
      deliveries.end(5n);
      deliveries.change(change(3), 10);
      deliveries.end(6n);
    }
    deliveries.stop();
    deliveries.change(change(4), 10);
    go.resolve();
    await deliveries.drain();
    assert.deepEqual([seen, feed], whole ? [[1, 2], ["5"]] : [[1], []]);
  }
});

test("a dead letter that cannot be kept is tried again, later each time, and says so", async () => {
  let attempts = 0;
  const { deliveries, feed, log, clock, counts } = made(() => {
    throw failure(true);
  }, () => ++attempts < 3 ? Promise.reject(new Error("disk full")) : Promise.resolve());
  deliveries.change(change(1), 10);
  deliveries.end(5n);
  await settle();
  assert.match(String(deliveries.health()), /INSERT t at 0\/1 cannot be kept .*: disk full/);
  await clock.advance(1000);
  await clock.advance(1999);
  assert.deepEqual([attempts, feed], [2, []]);
  await clock.advance(1);
  assert.deepEqual([attempts, feed, deliveries.health()], [3, ["5"], undefined]);
  assert.deepEqual([counts.dead_lettered, counts.discarded], [1, 0]);
  assert.equal(log.length, 3);
});

test("a change that cannot be read is given up, and the next one passes", async () => {
  const seen: unknown[] = [];
  const { deliveries, log } = made(({ input }) => void seen.push(input.id));
  const { row: _, old: __, unchanged: ___, ...named } = change(1);
  deliveries.unreadable(named, 'its column "a" cannot be read: no');
  deliveries.change(change(2), 10);
  await deliveries.drain();
  assert.deepEqual(seen, [2]);
  assert.deepEqual(log, [[
    "error",
    'change INSERT t at 0/1 was discarded: its column "a" cannot be read: no',
  ]]);
});
