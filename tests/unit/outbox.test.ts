import assert from "node:assert/strict";
import { test } from "node:test";
import { Frame } from "../../src/transport/frame.ts";
import { Flusher, Outbox } from "../../src/connectors/websocket/outbox.ts";
import type { Patience } from "../../src/connectors/websocket/patience.ts";
import type { Batch } from "../../src/transport/socket.ts";
import { seeded } from "../support/random.ts";

/** A flusher whose ticks the test ends by itself. */
class Ticks {
  readonly flusher: Flusher;
  readonly #scheduled: (() => void)[] = [];

  constructor(patience?: Patience) {
    this.flusher = new Flusher((flush) => this.#scheduled.push(flush), patience);
  }

  /** How many flushes have been asked for since the last tick. */
  get scheduled(): number {
    return this.#scheduled.length;
  }

  end(): void {
    for (const flush of this.#scheduled.splice(0)) flush();
  }
}

/** An outbox, what it sent, and how often it overflowed. */
class Line {
  readonly batches: Batch[] = [];
  /** What the kernel is said not to have taken. */
  unsent = 0;
  overflows = 0;
  /** What the sink throws; undefined for nothing. */
  error: Error | undefined;
  readonly failures: unknown[] = [];
  lost = 0;
  readonly outbox: Outbox;

  constructor(flusher: Flusher, limit = Infinity) {
    const send = (batch: Batch): number => {
      if (this.error !== undefined) throw this.error;
      this.batches.push(batch);
      return this.unsent;
    };
    const owner = {
      slow: () => void this.overflows++,
      failed: (error: unknown) => void this.failures.push(error),
    };
    this.outbox = new Outbox(
      flusher,
      { send, bufferedAmount: 0 },
      limit,
      owner,
      (frames) => this.lost += frames,
    );
  }

  get texts(): string[] {
    return this.batches.flatMap((batch) => batch.frames.map(({ text }) => text));
  }
}

function frame(text: string): Frame {
  return new Frame(text);
}

test("nothing is sent before the tick ends, then everything with one write", () => {
  const ticks = new Ticks();
  const line = new Line(ticks.flusher);
  for (const text of ["a", "b", "c"]) assert.equal(line.outbox.push(frame(text)), true);
  assert.equal(ticks.scheduled, 1);
  assert.equal(line.batches.length, 0);
  ticks.end();
  assert.equal(line.batches.length, 1);
  assert.deepEqual(line.texts, ["a", "b", "c"]);
  assert.equal(line.batches[0].size, line.batches[0].bytes().length);
  ticks.end();
  assert.equal(line.batches.length, 1);
});

test("with patience a flush to many recipients waits until no frame arrives for a while, and not for ever", () => {
  const ticks = new Ticks({ quiet: 2, max: 5 });
  const lines = Array.from({ length: 64 }, () => new Line(ticks.flusher));
  const broadcast = (text: string) => {
    const shared = frame(text);
    for (const { outbox } of lines) outbox.push(shared);
  };
  const written = () => lines.map(({ texts }) => texts.join(""));
  const isWritten = (text: string) => written().every((each) => each === text);
  broadcast("a");
  ticks.end();
  broadcast("b");
  for (const text of ["", "", "ab"]) {
    ticks.end();
    assert.ok(isWritten(text), written().join());
  }
  // Something comes in every tick.
  for (const text of ["1", "2", "3", "4", "5", "6"]) {
    assert.ok(isWritten("ab"), `${text}: ${written().join()}`);
    broadcast(text);
    ticks.end();
  }
  assert.ok(isWritten("ab123456"), written().join());
  assert.equal(lines[0].batches.length, 2);
});

test("a flush to many recipients waits one more tick, and no longer", () => {
  for (const [recipients, waits] of [[63, false], [64, true]] as const) {
    const ticks = new Ticks();
    const lines = Array.from({ length: recipients }, () => new Line(ticks.flusher));
    const broadcast = (text: string) => {
      const shared = frame(text);
      for (const { outbox } of lines) outbox.push(shared);
    };
    broadcast("a");
    ticks.end();
    assert.equal(lines.every(({ batches }) => batches.length === (waits ? 0 : 1)), true);
    broadcast("b");
    ticks.end();
    assert.ok(lines.every(({ batches }) => batches.length === (waits ? 1 : 2)));
    assert.ok(lines.every(({ texts }) => texts.join() === "a,b"));
    // The next flush waits again.
    broadcast("c");
    ticks.end();
    assert.equal(lines[0].texts.join(), waits ? "a,b" : "a,b,c");
    ticks.end();
    assert.equal(lines[0].texts.join(), "a,b,c");
  }
});

test("one flush a tick is scheduled, whatever the number of outboxes", () => {
  const ticks = new Ticks();
  const lines = Array.from({ length: 10 }, () => new Line(ticks.flusher));
  for (const { outbox } of lines) outbox.push(frame("a"));
  assert.equal(ticks.scheduled, 1);
  ticks.end();
  lines[3].outbox.push(frame("b"));
  assert.equal(ticks.scheduled, 1);
});

test("connections that wait for the same frames share the batch and the bytes", () => {
  const ticks = new Ticks();
  const lines = Array.from({ length: 5 }, () => new Line(ticks.flusher));
  const frames = ["a", "b"].map(frame);
  for (const each of frames) for (const { outbox } of lines) outbox.push(each);
  ticks.end();
  const [{ batches: [first] }] = lines;
  for (const { batches } of lines) {
    assert.equal(batches[0], first);
    assert.equal(batches[0].bytes(), first.bytes());
  }
});

test("a batch of one frame is that frame's bytes, not a copy", () => {
  const ticks = new Ticks();
  const line = new Line(ticks.flusher);
  const only = frame("a");
  line.outbox.push(only);
  ticks.end();
  assert.equal(line.batches[0].bytes(), only.bytes);
});

test("paths that part keep their own frames", () => {
  const ticks = new Ticks();
  const [one, two, three] = Array.from({ length: 3 }, () => new Line(ticks.flusher));
  const all = frame("all");
  for (const { outbox } of [one, two, three]) outbox.push(all);
  one.outbox.push(frame("one"));
  two.outbox.push(frame("two"));
  for (const { outbox } of [one, two, three]) outbox.push(all);
  ticks.end();
  assert.deepEqual(one.texts, ["all", "one", "all"]);
  assert.deepEqual(two.texts, ["all", "two", "all"]);
  assert.deepEqual(three.texts, ["all", "all"]);
});

test("a frame that is pushed while others are flushed goes out, too, and in order", () => {
  const ticks = new Ticks();
  const late = new Line(ticks.flusher);
  const echo: string[] = [];
  const first = new Outbox(
    ticks.flusher,
    {
      bufferedAmount: 0,
      send({ frames }) {
        echo.push(...frames.map(({ text }) => text));
        if (echo.length === 1) {
          first.push(frame("again"));
          late.outbox.push(frame("second"));
        }
        return 0;
      },
    },
    Infinity,
    { slow() {}, failed: assert.fail },
  );
  first.push(frame("a"));
  late.outbox.push(frame("first"));
  ticks.end();
  ticks.end();
  assert.deepEqual(echo, ["a", "again"]);
  assert.deepEqual(late.texts, ["first", "second"]);
});

test("a sink that throws is reported and no longer used, and the others are flushed", () => {
  const ticks = new Ticks();
  const lines = Array.from({ length: 5 }, () => new Line(ticks.flusher, 100));
  const error = new Error("broken");
  lines[1].error = error;
  for (const text of ["a", "b"]) {
    for (const { outbox } of lines) outbox.push(frame(text));
  }
  ticks.end();
  for (const { outbox } of lines) outbox.push(frame("c"));
  ticks.end();
  assert.deepEqual(lines.map(({ texts }) => texts.join("")), ["abc", "", "abc", "abc", "abc"]);
  assert.deepEqual(lines.map(({ failures }) => failures), [[], [error], [], [], []]);
  assert.deepEqual(lines.map(({ lost }) => lost), [0, 2, 0, 0, 0]);
  assert.equal(lines[1].outbox.push(frame("d")), false);

  // What is over the limit goes out within the push: that does not throw either.
  lines[2].error = error;
  assert.deepEqual(lines.map(({ outbox }) => outbox.push(frame("x".repeat(100)))), [
    true,
    false,
    false,
    true,
    true,
  ]);
  assert.deepEqual(lines[2].failures, [error]);
});

test("over the limit the outbox is flushed before the client counts as slow", () => {
  const ticks = new Ticks();
  const line = new Line(ticks.flusher, 10);
  line.outbox.push(frame("12345"));
  assert.equal(line.batches.length, 0);
  line.outbox.push(frame("67890"));
  assert.equal(line.batches.length, 1);
  assert.equal(line.overflows, 0);
  // A single frame over the limit, too.
  assert.equal(line.outbox.push(frame("x".repeat(100))), true);
  assert.equal(line.overflows, 0);
  assert.deepEqual(line.texts, ["12345", "67890", "x".repeat(100)]);
});

test("exactly the limit is not an overflow, one byte more is one, once", () => {
  const ticks = new Ticks();
  const line = new Line(ticks.flusher, 10);
  line.unsent = 10;
  line.outbox.push(frame("a"));
  ticks.end();
  assert.equal(line.overflows, 0);
  line.unsent = 11;
  line.outbox.push(frame("b"));
  line.outbox.push(frame("c"));
  ticks.end();
  assert.equal(line.overflows, 1);
  assert.equal(line.outbox.push(frame("d")), false);
  line.outbox.close();
  line.outbox.flush();
  ticks.end();
  assert.equal(line.overflows, 1);
  assert.deepEqual(line.texts, ["a", "b", "c"]);
});

test("close sends what waits and accepts nothing more; discard drops what waits", () => {
  const ticks = new Ticks();
  const [closed, discarded] = [new Line(ticks.flusher), new Line(ticks.flusher)];
  for (const { outbox } of [closed, discarded]) outbox.push(frame("a"));
  closed.outbox.close();
  discarded.outbox.discard();
  for (const { outbox } of [closed, discarded]) {
    assert.equal(outbox.push(frame("b")), false);
    outbox.close();
    outbox.discard();
  }
  ticks.end();
  assert.deepEqual(closed.texts, ["a"]);
  assert.deepEqual(discarded.texts, []);
});

test("a close that finds a slow client reports it", () => {
  const ticks = new Ticks();
  const line = new Line(ticks.flusher, 10);
  line.unsent = 11;
  line.outbox.push(frame("a"));
  line.outbox.close();
  assert.equal(line.overflows, 1);
});

test("a push that finds a slow client returns false", () => {
  const line = new Line(new Ticks().flusher, 10);
  line.unsent = 11;
  assert.equal(line.outbox.push(frame("x".repeat(20))), false);
  assert.equal(line.overflows, 1);
});

test("an empty outbox flushes nothing", () => {
  const line = new Line(new Ticks().flusher);
  line.outbox.flush();
  line.outbox.close();
  assert.equal(line.batches.length, 0);
});

test("random pushes and flushes over outboxes that share frames: bytes out are frames in", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const ticks = new Ticks();
    const limit = random.pick([20, 200, Infinity]);
    const lines = Array.from({ length: 1 + random.below(6) }, () => new Line(ticks.flusher, limit));
    const expected = new Map<Line, Frame[]>(lines.map((line) => [line, []]));
    const old: Frame[] = [];
    const push = (line: Line, each: Frame): void => {
      if (line.outbox.push(each)) expected.get(line)?.push(each);
    };
    for (let step = 0; step < 300; step++) {
      const action = random.below(20);
      const fresh = frame(`${step} ${"é".repeat(random.below(40))}`);
      if (action < 8) {
        old.push(fresh);
        for (const line of lines) if (random.chance(0.8)) push(line, fresh);
      } else if (action < 14) {
        push(random.pick(lines), fresh);
      } else if (action < 16 && old.length > 0) {
        // The same frame again, as a message that a caller keeps.
        for (const line of lines) push(line, random.pick(old));
      } else if (action < 17) {
        random.pick(lines).outbox.flush();
      } else if (action < 18 && random.chance(0.05)) {
        random.pick(lines).outbox.close();
      } else {
        ticks.end();
      }
    }
    ticks.end();
    for (const line of lines) {
      const frames = expected.get(line) ?? [];
      assert.deepEqual(line.texts, frames.map(({ text }) => text), `seed ${seed}`);
      const sent = line.batches.flatMap((batch) => [...batch.bytes()]);
      assert.deepEqual(sent, frames.flatMap(({ bytes }) => [...bytes]), `seed ${seed}`);
      assert.equal(line.batches.reduce((sum, { size }) => sum + size, 0), sent.length);
      assert.ok(line.batches.every(({ size }) => size > 0));
    }
  }
});
