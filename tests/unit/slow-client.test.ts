import assert from "node:assert/strict";
import { test } from "node:test";
import { Counters } from "../../src/connectors/websocket/counters.ts";
import { Traffic } from "../../src/connectors/websocket/traffic.ts";
import type { SlowClientOptions } from "../../src/connectors/websocket/slow-client/fields.ts";
import { Outboxes } from "../../src/connectors/websocket/slow-client/outboxes.ts";
import { compileExpression, type Scope } from "../../src/expression/mod.ts";
import { Frame } from "../../src/transport/frame.ts";
import { Flusher, type Outbox } from "../../src/connectors/websocket/outbox.ts";
import type { Batch } from "../../src/transport/socket.ts";
import { seeded } from "../support/random.ts";

/** A socket whose kernel takes a number of bytes and then no more, until the client reads. */
class Wire {
  readonly texts: string[] = [];
  /** The largest that it has held. */
  most = 0;
  room: number;
  #held = 0;
  open = true;
  /** What sending throws, and asking for what it holds; undefined for nothing. */
  error: Error | undefined;

  constructor(room: number) {
    this.room = room;
  }

  get bufferedAmount(): number {
    if (this.error !== undefined) throw this.error;
    return this.#held;
  }

  send({ frames, size }: Batch): number {
    if (this.error !== undefined) throw this.error;
    if (!this.open) return -1;
    this.texts.push(...frames.map(({ text }) => text));
    this.#held += size;
    this.#take();
    this.most = Math.max(this.most, this.#held);
    return this.#held;
  }

  close(): void {}

  /** The client reads this many bytes. */
  read(bytes: number): void {
    this.room += bytes;
    this.#take();
  }

  #take(): void {
    const taken = Math.min(this.room, this.#held);
    this.room -= taken;
    this.#held -= taken;
  }
}

/** A connector with one slow client, whose ticks and timers the test ends by itself. */
class Scene {
  readonly counters = new Counters();
  readonly traffic = new Traffic();
  readonly wire: Wire;
  readonly outbox: Outbox;
  overflows = 0;
  /** The rooms with history that the clients want to know of. */
  readonly wanted = new Set<string>();
  readonly failures: unknown[] = [];
  readonly #outboxes: Outboxes;
  readonly #ticks: (() => void)[] = [];
  readonly #timers = new Set<() => void>();

  constructor(options: Partial<SlowClientOptions>, room = 0) {
    this.#outboxes = new Outboxes({
      queue: 2_000,
      policy: "drop_oldest",
      key: undefined,
      ...options,
    }, {
      name: "ws",
      flusher: new Flusher((flush) => this.#ticks.push(flush)),
      counters: this.counters,
      traffic: this.traffic,
      clock: {
        now: () => 0,
        elapsed: () => 0,
        after: (_delay, task) => {
          this.#timers.add(task);
          return () => this.#timers.delete(task);
        },
      },
    });
    this.wire = new Wire(room);
    this.outbox = this.create(this.wire);
  }

  /** The outbox of one more client; one that fails is discarded, as connections do. */
  create(wire: Wire): Outbox {
    const listener = {
      slow: () => void this.overflows++,
      failed: (error: unknown) => {
        this.failures.push(error);
        outbox.discard();
      },
    };
    const outbox: Outbox = this.#outboxes.create(wire, listener, (room) => this.wanted.has(room));
    return outbox;
  }

  get timers(): number {
    return this.#timers.size;
  }

  message(payload: unknown, room?: string, scope: Scope = {}, type?: string): boolean {
    return this.outbox.push(this.#outboxes.message({ payload, room, scope, type }));
  }

  /** A message to a room with history. */
  keep(payload: unknown, room: string): boolean {
    const message = { payload, room, scope: {}, keptIn: room };
    return this.outbox.push(this.#outboxes.message(message));
  }

  answer(text: string): boolean {
    return this.outbox.push(new Frame(text));
  }

  tick(): void {
    for (const flush of this.#ticks.splice(0)) flush();
  }

  /** The client reads this many bytes, and the connector notices. */
  read(bytes = 1_000_000): void {
    this.wire.read(bytes);
    const due = [...this.#timers];
    this.#timers.clear();
    for (const task of due) task();
  }

  /** What has come, in short: data of messages, counts of notices, other frames as they are. */
  get seen(): unknown[] {
    return this.wire.texts.map((text) => {
      const frame = text.startsWith("{") ? JSON.parse(text) : text;
      if (frame.type === "message") return frame.data.n ?? frame.data;
      if (frame.type === "resync") return `resync ${frame.room}`;
      return frame.type === "dropped" ? `${frame.count} dropped` : frame;
    });
  }
}

/** A message of about 400 bytes. */
const large = (n: number) => ({ n, text: "x".repeat(350) });

test("a client that reads receives everything at once, and no timer runs", () => {
  for (const policy of ["drop_oldest", "coalesce"] as const) {
    const scene = new Scene({ policy, key: compileExpression("output.n", ["output"]) }, 1e9);
    for (let n = 0; n < 50; n++) {
      scene.message(large(n % 3));
      scene.answer("ack");
      scene.tick();
    }
    const expected = Array.from({ length: 50 }, (_, n) => [n % 3, "ack"]).flat();
    assert.deepEqual(scene.seen, expected);
    assert.equal(scene.timers, 0);
    assert.deepEqual([scene.counters.all().dropped, scene.counters.all().coalesced], [0, 0]);
  }
});

test("drop_oldest: the oldest messages are dropped, and a notice takes their place", () => {
  const scene = new Scene({});
  for (let n = 0; n < 10; n++) {
    scene.message(large(n));
    scene.tick();
  }
  scene.read();
  // Some were written to the socket before it was full; of the others the newest are kept.
  const [first, ...rest] = scene.seen;
  assert.equal(first, 0);
  const gap = rest.findIndex((one) => typeof one === "string");
  const after = rest.slice(gap + 1);
  assert.deepEqual(after.at(-1), 9);
  const missing = 10 - 1 - gap - after.length;
  assert.equal(rest[gap], `${missing} dropped`);
  assert.equal(scene.counters.all().dropped, missing);
  assert.deepEqual(after, Array.from({ length: after.length }, (_, n) => 10 - after.length + n));
  assert.equal(scene.overflows, 0);
});

test("drop_oldest: resync takes the place of what rooms with history lose, for who asked", () => {
  const scene = new Scene({ queue: 2_000 });
  scene.wanted.add("a").add("b");
  scene.message({ n: 0, text: "y".repeat(1_160) });
  scene.tick();
  scene.keep(large(1), "a");
  scene.keep(large(2), "a");
  scene.message(large(3));
  scene.keep(large(4), "b");
  scene.keep(large(5), "c");
  scene.answer("ack");
  scene.keep(large(6), "a");
  scene.tick();
  scene.read();
  assert.deepEqual(scene.seen, [0, "2 dropped", "resync a", "resync b", "ack", 6]);
  assert.equal(scene.counters.all().dropped, 5);
  // Nothing of it is left.
  scene.message(large(7));
  scene.tick();
  scene.read();
  assert.deepEqual(scene.seen.at(-1), 7);
  assert.equal(scene.timers, 0);
});

test("coalesce: resync is told once, before what replaces a message of a room with history", () => {
  const key = compileExpression("output.key", ["output"]);
  const scene = new Scene({ policy: "coalesce", key, queue: 4_000 });
  scene.wanted.add("a");
  const filled = { n: 0, key: null, text: "y".repeat(2_400) };
  scene.message(filled);
  scene.tick();
  for (let n = 1; n <= 3; n++) scene.keep({ n, key: "k" }, "a");
  for (let n = 4; n <= 6; n++) scene.keep({ n, key: "l" }, "b");
  scene.tick();
  scene.read();
  assert.deepEqual(scene.seen, [0, "resync a", 3, 6]);
  assert.equal(scene.counters.all().coalesced, 4);
});

test("drop_oldest: answers are never dropped, and notices keep their place among them", () => {
  const scene = new Scene({ queue: 2_000 });
  scene.message({ n: 0, text: "y".repeat(1_160) });
  scene.tick();
  scene.message(large(1));
  scene.answer("ack 1");
  scene.message(large(2));
  scene.answer("ack 2");
  scene.message(large(3));
  scene.tick();
  scene.read();
  assert.deepEqual(scene.seen, [0, "1 dropped", "ack 1", "1 dropped", "ack 2", 3]);
});

test("drop_oldest: answers that exceed the queue close the connection", () => {
  const scene = new Scene({ queue: 2_000 });
  let pushed = 0;
  while (scene.overflows === 0) {
    scene.answer("a".repeat(200));
    scene.tick();
    assert.ok(++pushed < 20);
  }
  assert.equal(scene.answer("late"), false);
  assert.equal(scene.timers, 0);
  assert.ok(scene.counters.all().undelivered > 0);
});

test("drop_oldest: the queue and the socket together never hold more than the limit", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seeded(seed);
    const queue = random.pick([1_024, 5_000, 200_000]);
    const scene = new Scene({ queue }, random.below(3) * queue);
    const sent: unknown[] = [];
    for (let step = 0; step < 400 && scene.overflows === 0; step++) {
      const action = random.below(10);
      if (action < 6) {
        sent.push(step);
        scene.message({ n: step, text: "z".repeat(random.below(queue / 3)) });
      } else if (action < 7 && random.chance(0.2)) {
        sent.push(`ack ${step}`);
        scene.answer(`ack ${step}`);
      } else if (action < 9) scene.tick();
      else scene.read(random.below(queue));
      assert.ok(scene.wire.most <= queue, `seed ${seed}: ${scene.wire.most}`);
    }
    scene.tick();
    for (let n = 0; n < 2_000 && scene.timers > 0; n++) scene.read();
    // What came is what was sent, but for holes, and each hole says how large it is.
    let at = 0;
    for (const one of scene.seen) {
      const dropped = /^(\d+) dropped$/.exec(String(one));
      if (dropped === null) {
        assert.equal(one, sent[at++], `seed ${seed}`);
        continue;
      }
      // Several gaps in a row have one notice, at the first; no gap contains an answer.
      for (let left = Number(dropped[1]); left > 0; left--) {
        assert.equal(typeof sent[at++], "number", `seed ${seed}`);
      }
    }
    if (scene.overflows === 0) assert.equal(at, sent.length, `seed ${seed}`);
    assert.equal(scene.timers, 0);
  }
});

const coalescing = {
  policy: "coalesce",
  queue: 4_000,
  key: compileExpression("output.key", ["output", "room", "input"]),
} as const;

test("coalesce: the newest message of each key stays, at its own place", () => {
  const scene = new Scene(coalescing);
  scene.message({ n: "full", text: "y".repeat(2_100) });
  scene.tick();
  const send = (key: unknown, n: number) => scene.message({ key, n });
  send("a", 1);
  send("b", 2);
  send(null, 3);
  send("a", 4);
  scene.answer("ack");
  send(null, 5);
  send(1, 6);
  scene.tick();
  send("1", 7);
  send(1, 8);
  scene.tick();
  scene.read();
  assert.deepEqual(scene.seen, ["full", 2, 3, 4, "ack", 5, 7, 8]);
  assert.equal(scene.counters.all().coalesced, 2);
});

test("coalesce: messages of different types never replace each other", () => {
  const scene = new Scene(coalescing);
  scene.message({ n: "full", text: "y".repeat(2_100) });
  scene.tick();
  const types = [undefined, "price", "price", undefined, "state"];
  for (const [n, type] of types.entries()) scene.message({ key: "a", n }, "r", {}, type);
  scene.tick();
  scene.read();
  const room = "r";
  assert.deepEqual(scene.seen, [
    "full",
    { type: "price", data: { key: "a", n: 2 }, room },
    3,
    { type: "state", data: { key: "a", n: 4 }, room },
  ]);
  assert.equal(scene.counters.all().coalesced, 2);
});

test("coalesce: more keys than the queue holds close the connection", () => {
  const scene = new Scene(coalescing);
  for (let n = 0; n < 20; n++) {
    scene.message({ ...large(n), key: n });
    scene.tick();
  }
  assert.equal(scene.overflows, 1);
});

test("coalesce: a key sees the output, the room and the flow's input", () => {
  const key = compileExpression("[output.k, room, input.k, constants.c]", [
    ...["output", "room", "input", "constants"],
  ]);
  const scene = new Scene({ ...coalescing, key });
  scene.message({ n: "full", text: "y".repeat(2_100) });
  scene.tick();
  const constants = { c: 1 };
  scene.message({ k: 1, n: 1 }, "r", { input: { k: 2 }, constants });
  scene.message({ k: 1, n: 2 }, undefined, { input: { k: 2 }, constants });
  scene.message({ k: 1, n: 3 }, "r", { constants });
  scene.message({ k: 1, n: 4 }, "r", { input: { k: 2 }, constants });
  scene.tick();
  scene.read();
  assert.deepEqual(scene.seen, ["full", 2, 3, 4]);
});

test("coalesce: a key that fails sends nothing to any client", () => {
  const scene = new Scene({ ...coalescing, key: compileExpression("int(output.key)", ["output"]) });
  assert.throws(() => scene.message({ key: "x" }), { name: "ExpressionError" });
  scene.tick();
  assert.deepEqual(scene.seen, []);
});

test("a message larger than the queue fails with every policy; one of its size does not", () => {
  for (const policy of ["disconnect", "drop_oldest", "coalesce"] as const) {
    const scene = new Scene({ queue: 2_000, policy }, 1e9);
    const fits = "x".repeat(2_000 - 4 - '{"type":"message","data":""}'.length);
    assert.equal(scene.message(fits), true);
    assert.throws(() => scene.message(`${fits}x`), {
      message: 'connector "ws": a message of 2001 bytes is larger than a client\'s queue',
    });
    assert.throws(() => scene.message({ big: 1n }), /cannot be written as JSON/);
    scene.tick();
    assert.deepEqual(scene.seen, [fits]);
    assert.equal(scene.overflows, 0);
  }
});

test("disconnect: over the limit the connection is closed, and what waits counts as undelivered", () => {
  const scene = new Scene({ policy: "disconnect", queue: 1_024 });
  for (let n = 0; n < 3; n++) {
    scene.message(large(n));
    scene.tick();
  }
  assert.equal(scene.overflows, 1);
  assert.equal(scene.message(large(4)), false);
});

test("a close is sent after everything that waits", () => {
  for (const policy of ["drop_oldest", "coalesce"] as const) {
    const scene = new Scene({ policy, queue: 4_000 });
    for (let n = 0; n < 8; n++) scene.message(large(n));
    scene.tick();
    scene.answer("last");
    scene.outbox.close();
    assert.deepEqual(scene.seen.at(-1), "last");
    assert.equal(scene.timers, 0);
    assert.equal(scene.answer("late"), false);
  }
});

test("a socket that dies between the queue and the flush: its frames are undelivered", () => {
  for (const policy of ["disconnect", "drop_oldest", "coalesce"] as const) {
    const scene = new Scene({ policy }, 1e9);
    scene.message(1);
    scene.answer("ack");
    scene.wire.open = false;
    scene.tick();
    assert.equal(scene.counters.all().undelivered, 2, policy);
    scene.message(2);
    scene.outbox.discard();
    assert.equal(scene.counters.all().undelivered, 3, policy);
    assert.deepEqual([scene.timers, scene.seen], [0, []]);
  }
});

test("frames that wait when a slow client leaves count as undelivered", () => {
  const scene = new Scene({ queue: 4_000 });
  for (let n = 0; n < 8; n++) scene.message(large(n));
  scene.tick();
  const { undelivered, dropped } = scene.counters.all();
  assert.equal(undelivered, 0);
  scene.outbox.discard();
  const given = scene.wire.texts.length;
  assert.equal(scene.counters.all().undelivered, 8 - given - dropped);
  assert.equal(scene.timers, 0);
});

test("a socket that throws when it is polled is reported, and the others are polled", () => {
  const scene = new Scene({});
  const broken = new Wire(0);
  const last = new Wire(0);
  const outboxes = [scene.create(broken), scene.outbox, scene.create(last)];
  for (let n = 0; n < 3; n++) {
    for (const outbox of outboxes) outbox.push(new Frame(`${n}`.repeat(600)));
    scene.tick();
  }
  const error = new Error("broken");
  broken.error = error;
  last.read(10_000);
  scene.read();
  assert.deepEqual(scene.failures, [error]);
  assert.deepEqual([scene.wire, last].map(({ texts }) => texts.map((text) => text[0])), [
    ["0", "1", "2"],
    ["0", "1", "2"],
  ]);
  assert.equal(scene.counters.all().undelivered, 3 - broken.texts.length);
  assert.deepEqual(outboxes.map((outbox) => outbox.push(new Frame("late"))), [false, true, true]);
  scene.tick();
  scene.read();
  assert.deepEqual([scene.timers, scene.failures.length], [0, 1]);
});

test("a socket that throws on a write has taken none of it", () => {
  for (const policy of ["drop_oldest", "coalesce"] as const) {
    const key = policy === "coalesce" ? compileExpression("output.n", ["output"]) : undefined;
    const scene = new Scene({ policy, key });
    for (let n = 0; n < 4; n++) scene.answer("a".repeat(300));
    scene.wire.error = new Error("broken");
    scene.tick();
    assert.deepEqual([scene.seen, scene.failures], [[], [scene.wire.error]]);
    assert.equal(scene.counters.all().undelivered, 4);
    assert.equal(scene.timers, 0);
  }
});
