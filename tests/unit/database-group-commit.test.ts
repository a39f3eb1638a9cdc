/** Writes that share a commit: batches, refusals, repetitions, lanes, cancelling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type BatchedWrite,
  type BatchOutcome,
  GroupCommit,
  type GroupCommitOptions,
} from "../../src/connectors/database/group-commit.ts";
import { CancelledError, UnknownWriteError } from "../../src/connectors/database/pending-write.ts";

const statement = {};

/** A batch that the test settles. */
interface Flight {
  readonly names: readonly unknown[];
  readonly signal: AbortSignal;
  end(outcome: BatchOutcome): void;
}

/** A group commit whose batches are answered by hand. */
function byHand(options: Partial<GroupCommitOptions> = {}) {
  const flights: Flight[] = [];
  const commit = new GroupCommit({
    execute: (batch, signal) =>
      new Promise((end) => flights.push({ names: namesOf(batch), signal, end })),
    mayRepeat: () => false,
    lanes: 4,
    largest: 100,
    ...options,
  });
  return { commit, flights };
}

/** A group commit whose batches are answered by a function; `batches` has what was executed. */
function scripted(
  answer: (names: readonly unknown[]) => BatchOutcome | undefined,
  options: Partial<GroupCommitOptions> = {},
) {
  const batches: unknown[][] = [];
  const execute = (batch: readonly BatchedWrite[]): Promise<BatchOutcome> => {
    const names = namesOf(batch);
    batches.push(names);
    return Promise.resolve(answer(names) ?? { committed: names.map(row) });
  };
  const commit = new GroupCommit({
    execute,
    mayRepeat: () => false,
    lanes: 1,
    largest: 100,
    ...options,
  });
  return { commit, batches };
}

const namesOf = (batch: readonly BatchedWrite[]) => batch.map(({ values: [name] }) => name);
const row = (name: unknown) => [{ name }];

/** Pushes a write whose failure may be looked at later. */
function push(commit: GroupCommit, name: unknown) {
  const write = commit.push({ statement, values: [name] });
  write.then(undefined, () => {});
  return write;
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** What became of each write: its name, or the error's message. */
async function ends(writes: readonly PromiseLike<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(writes);
  return settled.map((end) => {
    if (end.status === "rejected") return (end.reason as Error).message;
    return (end.value as { name: unknown }[])[0].name;
  });
}

/** Waits until a condition holds, and fails after five seconds. */
async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 1000, "has waited for five seconds");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("writes of one tick are one batch, and each gets its own result", async () => {
  const { commit, batches } = scripted(() => undefined);
  assert.deepEqual(await ends(range(5).map((n) => push(commit, n))), [0, 1, 2, 3, 4]);
  assert.deepEqual(batches, [[0, 1, 2, 3, 4]]);
});

test("while a batch is in flight, the next writes gather", async () => {
  const { commit, flights } = byHand();
  const first = push(commit, "a");
  await until(() => flights.length === 1);
  const others = [push(commit, "b")];
  await new Promise((resolve) => setTimeout(resolve, 5));
  others.push(push(commit, "c"));
  assert.equal(flights.length, 1);
  flights[0].end({ committed: [row("a")] });
  assert.deepEqual(await ends([first]), ["a"]);
  await until(() => flights.length === 2);
  assert.deepEqual(flights[1].names, ["b", "c"]);
  flights[1].end({ committed: [row("b"), row("c")] });
  assert.deepEqual(await ends(others), ["b", "c"]);
});

test("a batch has at most the largest number of writes", async () => {
  const { commit, batches } = scripted(() => undefined, { largest: 3 });
  assert.deepEqual(await ends(range(7).map((n) => push(commit, n))), range(7));
  assert.deepEqual(batches, [[0, 1, 2], [3, 4, 5], [6]]);
});

test("what a driver leaves out of a batch is executed next", async () => {
  const { commit, batches } = scripted((names) => ({ committed: names.slice(0, 2).map(row) }));
  assert.deepEqual(await ends(range(5).map((n) => push(commit, n))), range(5));
  assert.deepEqual(batches, [[0, 1, 2, 3, 4], [2, 3, 4], [4]]);
});

test("a driver that executes nothing fails the batch", async () => {
  const { commit } = scripted(() => ({ committed: [] }));
  assert.deepEqual(await ends([push(commit, 1)]), ["nothing was executed"]);
});

for (const bad of [0, 3, 6]) {
  test(`a refused write fails alone (number ${bad} of 7)`, async () => {
    const { commit, batches } = scripted((names) => {
      const refused = names.indexOf(bad);
      return refused === -1 ? undefined : { refused, error: new Error("refused") };
    });
    const expected = range(7).map((n) => n === bad ? "refused" : n);
    assert.deepEqual(await ends(range(7).map((n) => push(commit, n))), expected);
    // Nothing is executed again that was committed.
    const after = batches.slice(1).flat();
    assert.deepEqual(after, range(7).filter((n) => n !== bad));
  });
}

test("where all writes are refused, the work grows with their number only", async () => {
  const { commit, batches } = scripted(() => ({ refused: 0, error: new Error("no") }), {
    largest: 400,
  });
  const found = await ends(range(400).map((n) => push(commit, n)));
  assert.deepEqual(new Set(found), new Set(["no"]));
  assert.ok(batches.flat().length <= 400 * 3, `${batches.flat().length} executions`);
});

test("batches are large again after refusals", async () => {
  let refuse = true;
  const { commit, batches } = scripted(() =>
    refuse ? { refused: 0, error: new Error("no") } : undefined
  );
  await ends(range(20).map((n) => push(commit, n)));
  refuse = false;
  await ends(range(200).map((n) => push(commit, n)));
  assert.ok(Math.max(...batches.map(({ length }) => length)) >= 64);
});

test("a deferred constraint fails the one write that broke it", async () => {
  const { commit } = scripted((names) =>
    names.includes(13)
      ? { failed: new Error("broken at the commit"), written: "no", halve: true }
      : undefined
  );
  const expected = range(30).map((n) => n === 13 ? "broken at the commit" : n);
  assert.deepEqual(await ends(range(30).map((n) => push(commit, n))), expected);
});

test("what says nothing about a single write fails all of them at once", async () => {
  const { commit, batches } = scripted(() => ({ failed: new Error("away"), written: "no" }));
  assert.deepEqual(await ends(range(3).map((n) => push(commit, n))), Array(3).fill("away"));
  assert.equal(batches.length, 1);
});

test("a lost connection leaves it unknown whether they were written, and nothing is repeated", async () => {
  const { commit, batches } = scripted(
    () => ({ failed: new Error("connection reset"), written: "unknown" }),
    { mayRepeat: () => true },
  );
  const writes = [push(commit, 1), push(commit, 2)];
  const message = "connection reset; it may have been written";
  assert.deepEqual(await ends(writes), [message, message]);
  await assert.rejects(Promise.resolve(writes[0]), UnknownWriteError);
  assert.equal(batches.length, 1);
});

test("so does a driver that throws", async () => {
  const { commit } = byHand({
    execute: () => {
      throw new Error("a mistake");
    },
  });
  await assert.rejects(Promise.resolve(push(commit, 1)), UnknownWriteError);
});

test("a deadlock is repeated in halves, at most five times", async () => {
  let deadlocks = 2;
  const { commit, batches } = scripted(
    () => deadlocks-- > 0 ? { refused: 0, error: new Error("deadlock") } : undefined,
    { mayRepeat: () => true },
  );
  assert.deepEqual(await ends(range(4).map((n) => push(commit, n))), range(4));
  assert.deepEqual(batches, [[0, 1, 2, 3], [0, 1], [0], [1], [2, 3]]);

  deadlocks = Infinity;
  batches.length = 0;
  assert.deepEqual(await ends([push(commit, 1)]), ["deadlock"]);
  assert.equal(batches.length, 6);
});

test("a batch that takes long holds the others no longer than about 50 ms", async () => {
  const { commit, flights } = byHand({ lanes: 2 });
  const started = performance.now();
  const slow = push(commit, "slow");
  await until(() => flights.length === 1);
  const quick = push(commit, "quick");
  await until(() => flights.length === 2);
  assert.ok(performance.now() - started > 20);
  // There is no third lane.
  const waits = push(commit, "waits");
  await new Promise((resolve) => setTimeout(resolve, 120));
  assert.equal(flights.length, 2);
  flights[1].end({ committed: [row("quick")] });
  assert.deepEqual(await ends([quick]), ["quick"]);
  await until(() => flights.length === 3);
  flights[2].end({ committed: [row("waits")] });
  flights[0].end({ committed: [row("slow")] });
  assert.deepEqual(await ends([waits, slow]), ["waits", "slow"]);
});

test("a write that is cancelled while it waits is not executed", async () => {
  const { commit, flights } = byHand();
  const first = push(commit, "first");
  const early = push(commit, "early");
  early.cancel();
  await until(() => flights.length === 1);
  assert.deepEqual(flights[0].names, ["first"]);
  const late = push(commit, "late");
  late.cancel();
  await assert.rejects(Promise.resolve(late), CancelledError);
  flights[0].end({ committed: [row("first")] });
  assert.deepEqual(await ends([first, early]), ["first", "was cancelled"]);
  await commit.drain();
  assert.equal(flights.length, 1);
  first.cancel();
});

test("a batch in flight is aborted when nobody waits for any of it", async () => {
  const { commit, flights } = byHand();
  const [a, b] = [push(commit, "a"), push(commit, "b")];
  await until(() => flights.length === 1);
  a.cancel();
  a.cancel();
  assert.equal(flights[0].signal.aborted, false);
  b.cancel();
  assert.equal(flights[0].signal.aborted, true);
  flights[0].end({ refused: 1, error: new Error("canceling statement") });
  assert.deepEqual(await ends([a, b]), ["was cancelled", "was cancelled"]);
  assert.equal(flights.length, 1);
});

test("a batch that takes long is aborted when nobody waits for one of its writes, and the others go on", async () => {
  for (const cancelledAfter of [0, 100]) {
    const { commit, flights } = byHand({ lanes: 1 });
    const [a, b, c] = ["a", "b", "c"].map((name) => push(commit, name));
    await until(() => flights.length === 1);
    await new Promise((resolve) => setTimeout(resolve, cancelledAfter));
    a.cancel();
    assert.equal(flights[0].signal.aborted, false);
    await until(() => flights[0].signal.aborted);
    // The server gives up the statement at which it is, whichever that is.
    flights[0].end({ refused: 1, error: new Error("canceling statement") });
    await until(() => flights.length === 2);
    assert.deepEqual(flights[1].names, ["b", "c"]);
    assert.equal(flights[1].signal.aborted, false);
    flights[1].end({ committed: [row("b"), row("c")] });
    assert.deepEqual(await ends([a, b, c]), ["was cancelled", "b", "c"]);
    await commit.close(0);
  }
});

test("a batch that takes as long as usual goes on where nobody waits for one of its writes", async () => {
  const { commit, flights } = byHand({ lanes: 1 });
  const slow = push(commit, "slow");
  await until(() => flights.length === 1);
  // An eighth of it counts, four times: 400 ms.
  await new Promise((resolve) => setTimeout(resolve, 800));
  flights[0].end({ committed: [row("slow")] });
  const [a, b] = [push(commit, "a"), push(commit, "b")];
  await until(() => flights.length === 2);
  await new Promise((resolve) => setTimeout(resolve, 60));
  a.cancel();
  await new Promise((resolve) => setTimeout(resolve, 60));
  assert.equal(flights[1].signal.aborted, false);
  await until(() => flights[1].signal.aborted);
  flights[1].end({ refused: 0, error: new Error("canceling statement") });
  await until(() => flights.length === 3);
  // A batch that is executed again has its own time.
  assert.deepEqual(flights[2].names, ["b"]);
  flights[2].end({ committed: [row("b")] });
  assert.deepEqual(await ends([slow, a, b]), ["slow", "was cancelled", "b"]);
});

test("what was committed before the batch was aborted has succeeded", async () => {
  const { commit, flights } = byHand();
  const [a, b] = [push(commit, "a"), push(commit, "b")];
  await until(() => flights.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 100));
  a.cancel();
  flights[0].end({ committed: [row("a"), row("b")] });
  assert.deepEqual(await ends([a, b]), ["a", "b"]);
});

test("a cancelled write is not executed again", async () => {
  const { commit, flights } = byHand();
  const [a, b, c] = ["a", "b", "c"].map((name) => push(commit, name));
  await until(() => flights.length === 1);
  a.cancel();
  flights[0].end({ refused: 1, error: new Error("refused") });
  await until(() => flights.length === 2);
  assert.deepEqual(flights[1].names, ["c"]);
  flights[1].end({ committed: [row("c")] });
  assert.deepEqual(await ends([a, b, c]), ["was cancelled", "refused", "c"]);
});

test("close waits for what is in flight and what waits, and takes nothing more", async () => {
  const { commit, flights } = byHand();
  const first = push(commit, "first");
  await until(() => flights.length === 1);
  const second = push(commit, "second");
  let closed = false;
  const closing = commit.close(5000).then(() => closed = true);
  const third = push(commit, "third");
  flights[0].end({ committed: [row("first")] });
  await until(() => flights.length === 2);
  assert.equal(closed, false);
  flights[1].end({ committed: [row("second")] });
  const started = performance.now();
  await closing;
  assert.ok(performance.now() - started < 2500, "waits for its whole time");
  assert.deepEqual(await ends([first, second, third]), [
    "first",
    "second",
    "the database is closed",
  ]);
});

test("close gives up after its time", async () => {
  const { commit, flights } = byHand({ lanes: 1 });
  const first = push(commit, "first");
  await until(() => flights.length === 1);
  const second = push(commit, "second");
  await commit.close(10);
  assert.deepEqual(await ends([second]), ["the database is closed"]);
  assert.equal(flights[0].signal.aborted, true);
  flights[0].end({ failed: new Error("cut"), written: "unknown" });
  assert.deepEqual(await ends([first]), ["cut; it may have been written"]);
});
