import assert from "node:assert/strict";
import { test } from "node:test";
import type { DedupeStore } from "../../src/contract/cluster.ts";
import { MemoryDedupeStore } from "../../src/flow/dedupe.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { failureOf, FROM, make, to } from "../support/flow.ts";

function dedupe(rest = ""): string {
  return `dedupe {\n  key = "input.id"\n  ttl = "10m"\n${rest}\n}`;
}

const BODY = [FROM, dedupe(), to("b"), 'response { id = "input.id" }'].join("\n");

test("a known key: no destination runs, and the response has no data", async () => {
  const clock = new ManualClock();
  const { run, writes } = await make(BODY, undefined, { clock });
  assert.deepEqual((await run({ id: 1 })).response, { data: { id: 1 } });
  assert.deepEqual((await run({ id: 1 })).response, undefined);
  assert.deepEqual((await run({ id: "1" })).response, { data: { id: "1" } });
  assert.equal(writes.length, 2);
  await clock.advance(599_999);
  await run({ id: 1 });
  assert.equal(writes.length, 2);
  await clock.advance(1);
  await run({ id: 1 });
  assert.equal(writes.length, 3);
});

test("an event without a key is never a duplicate; a key may be any value", async () => {
  const { run, writes } = await make(BODY);
  await run({});
  await run({});
  assert.equal(writes.length, 2);
  for (const id of [true, [1, 2], { a: 1 }, ""]) {
    await run({ id });
    await run({ id });
  }
  assert.equal(writes.length, 6);
});

test("a flow that failed forgets its key", async () => {
  let fails = true;
  const { run, writes } = await make(BODY, () => {
    if (fails) throw new Error("away");
  });
  await failureOf(() => run({ id: 1 }));
  fails = false;
  assert.notEqual((await run({ id: 1 })).response, undefined);
  assert.equal((await run({ id: 1 })).response, undefined);
  assert.equal(writes.length, 2);
});

test("of two concurrent events the second waits: a duplicate if the first succeeds, else it runs", async () => {
  const turns: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const { run, writes } = await make(
    BODY,
    () => new Promise<void>((resolve, reject) => turns.push({ resolve, reject })),
  );
  const [first, second] = [run({ id: 1 }), run({ id: 1 })];
  const failed = failureOf(() => first);
  await settle();
  assert.equal(writes.length, 1);
  turns[0].reject(new Error("away"));
  await failed;
  await settle();
  assert.equal(writes.length, 2);
  const third = run({ id: 1 });
  turns[1].resolve();
  assert.notEqual((await second).response, undefined);
  assert.equal((await third).response, undefined);
  assert.equal(writes.length, 2);
});

test("max_keys: the oldest keys are removed first", async () => {
  const { run, writes } = await make([FROM, dedupe("max_keys = 2"), to("b")].join("\n"));
  for (const id of [1, 2, 3]) await run({ id });
  await run({ id: 3 });
  await run({ id: 2 });
  assert.equal(writes.length, 3);
  await run({ id: 1 });
  assert.equal(writes.length, 4);
});

test("expired keys in memory are removed when others are added", () => {
  const keys = new MemoryDedupeStore(100);
  for (let i = 0; i < 50; i++) keys.add("f", String(i), i, i + 10);
  assert.equal(keys.has("f", "49", 58), true);
  assert.equal(keys.has("f", "49", 59), false);
  assert.equal(keys.has("f", "30", 40), false);
});

test("a store has the keys of each flow; a failure to save one is logged, and the delivery counts", async () => {
  const kept: unknown[][] = [];
  const keys: DedupeStore = {
    has: (flow, key) => Promise.resolve(kept.some(([f, k]) => f === flow && k === key)),
    add: (flow, key, now, until) => void kept.push([flow, key, until - now]),
  };
  const body = [FROM, dedupe('store = "c"'), to("b")].join("\n");
  const { run, writes } = await make(body, undefined, { keys });
  await run({ id: "x" });
  await run({ id: "x" });
  assert.deepEqual(kept, [["f", '"x"', 600_000]]);
  assert.equal(writes.length, 1);

  const broken = await make(body, undefined, {
    keys: { has: () => false, add: () => Promise.reject(new Error("disk full")) },
  });
  await broken.run({ id: 1 });
  assert.match(
    broken.log.records[0].text,
    /could not save a dedupe key, so the event may run twice/,
  );

  const blind = await make(body, undefined, {
    keys: {
      has() {
        throw new Error("away");
      },
      add() {},
    },
  });
  await failureOf(() => blind.run({ id: 1 }));
  assert.equal(blind.writes.length, 0);
});

test("a key of more than 64 bytes is hashed in every store, and stays distinct", async () => {
  const kept: string[] = [];
  const keys: DedupeStore = {
    has: (_, key) => kept.includes(key),
    add: (_, key) => void kept.push(key),
  };
  const body = [FROM, dedupe('store = "c"'), to("b")].join("\n");
  const { run, writes } = await make(body, undefined, { keys });
  // JSON adds two quotes; the second has 32 characters of two bytes each.
  const longest = ["x".repeat(62), "é".repeat(31)];
  const longer = ["x".repeat(63), "é".repeat(32), "x".repeat(500_000), { a: "y".repeat(100) }];
  for (const id of [...longest, ...longer]) await run({ id });
  assert.deepEqual(kept.slice(0, 2), longest.map((id) => JSON.stringify(id)));
  for (const key of kept.slice(2)) assert.match(key, /^sha256:[0-9a-f]{64}$/);
  const count = writes.length;
  for (const id of [...longest, ...longer]) await run({ id });
  assert.equal(writes.length, count);
  // The text of a hash is a key like any other, and so is the text of another kind's JSON.
  for (const id of [...kept, JSON.stringify(longer[3])]) await run({ id });
  assert.equal(writes.length, 2 * count + 1);
});
