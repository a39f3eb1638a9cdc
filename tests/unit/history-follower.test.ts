/** Follows a room in a shared store: holes, repetitions, new epochs, and a store that cannot be read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entries, Position } from "../../src/contract/backplane.ts";
import { Follower } from "../../src/connectors/websocket/history/follower.ts";
import { ManualClock, settle } from "../support/clock.ts";

const KEEP = { size: 5, ttl: 60_000 };
const bytes = (n: number) => Uint8Array.of(n);

/** A store of one room, of which a test decides what a follower hears. */
async function scene() {
  const clock = new ManualClock();
  const store = { epoch: "e", messages: [] as number[], gone: 0, away: false };
  const seen: (number | "lost")[] = [];
  let [caughtUp, reads] = [0, 0];
  const last = () => store.gone + store.messages.length;
  const follower = new Follower({
    clock,
    keep: KEEP,
    read(from): Promise<Entries> {
      reads++;
      if (store.away) return Promise.reject(new Error("away"));
      const newest = { epoch: store.epoch, offset: last() };
      const isKnown = from?.epoch === store.epoch && from.offset >= store.gone;
      const messages = from === undefined
        ? []
        : isKnown
        ? store.messages.slice(from.offset - store.gone).map(bytes)
        : undefined;
      return Promise.resolve({ newest, messages });
    },
    deliver: ([n]) => void seen.push(n),
    lost: () => void seen.push("lost"),
    caughtUp: (count) => void (caughtUp += count),
  });
  await settle();
  const append = (...numbers: readonly number[]): Position => {
    const at = { epoch: store.epoch, offset: last() + 1 };
    store.messages.push(...numbers);
    return at;
  };
  const send = (...numbers: readonly number[]) =>
    follower.take(append(...numbers), numbers.map(bytes));
  return {
    ...{ clock, store, seen, follower, append, send },
    get counts() {
      return { caughtUp, reads };
    },
  };
}

test("what comes twice is delivered once, and a hole is read", async () => {
  const one = await scene();
  one.send(1, 2);
  one.follower.take({ epoch: "e", offset: 1 }, [bytes(1), bytes(2)]);
  one.append(3, 4);
  one.send(5);
  one.send(6);
  assert.deepEqual(one.seen, [1, 2]);
  await settle();
  assert.deepEqual(one.seen, [1, 2, 3, 4, 5, 6]);
  assert.deepEqual(one.follower.settled, { epoch: "e", offset: 6 });
  assert.deepEqual(one.counts, { caughtUp: 3, reads: 2 });
});

test("before it has heard anything, what was on its way is delivered", async () => {
  const one = await scene();
  const on = await scene();
  // Read as 0 at the start; then two come.
  one.send(1);
  assert.deepEqual(one.seen, [1]);
  // The first one is missing.
  on.append(1);
  on.send(2);
  await settle();
  assert.deepEqual(on.seen, [1, 2]);
});

test("a store that cannot be read is asked again, and what comes meanwhile waits", async () => {
  const one = await scene();
  one.send(1);
  one.store.away = true;
  one.append(2);
  one.follower.catchUp();
  await settle();
  one.send(3);
  await one.clock.advance(2_500);
  assert.deepEqual([one.seen, one.follower.settled], [[1], undefined]);
  one.store.away = false;
  await one.clock.advance(1_000);
  assert.deepEqual(one.seen, [1, 2, 3]);
  one.follower.end();
  assert.equal(one.clock.waiting, 0);
});

test("more than may wait is read again: nothing is missing", async () => {
  const one = await scene();
  one.send(0);
  one.store.away = true;
  one.follower.catchUp();
  await settle();
  for (let n = 1; n <= 1_500; n++) one.send(n % 256);
  one.store.away = false;
  one.follower.catchUp();
  await settle();
  assert.equal(one.seen.length, 1_501);
  assert.deepEqual(one.seen, Array.from({ length: 1_501 }, (_, n) => n % 256));
});

test("what the store has dropped or lost is told", async () => {
  const one = await scene();
  one.send(1);
  one.append(2, 3);
  one.store.messages.splice(0, 2);
  one.store.gone = 2;
  one.follower.catchUp();
  await settle();
  assert.deepEqual(one.seen, [1, "lost"]);
  one.store.epoch = "f";
  one.store.messages = [];
  one.store.gone = 0;
  one.send(9);
  assert.deepEqual(one.seen, [1, "lost", "lost", 9]);
  assert.deepEqual(one.follower.settled, { epoch: "f", offset: 1 });
});

test("a room that was quiet for its time begins anew, and nothing is lost", async () => {
  const one = await scene();
  one.send(1);
  await one.clock.advance(KEEP.ttl);
  one.store.epoch = "f";
  one.store.messages = [];
  one.send(2);
  assert.deepEqual(one.seen, [1, 2]);
});
