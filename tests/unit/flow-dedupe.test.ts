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

test("a known key: no destination runs, and the first response is the answer", async () => {
  const clock = new ManualClock();
  const { run, writes } = await make(BODY, undefined, { clock });
  assert.deepEqual((await run({ id: 1 })).response, { data: { id: 1 } });
  assert.deepEqual((await run({ id: 1, more: true })).response, { data: { id: 1 } });
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
  const { response } = await run({ id: 1 });
  assert.deepEqual((await run({ id: 1 })).response, response);
  assert.equal(writes.length, 2);
});

test("of two concurrent events the second waits: a duplicate if the first succeeds, else it runs", async () => {
  const turns: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const { run, writes } = await make(
    BODY.replace('id = "input.id"', 'n = "input.n"'),
    () => new Promise<void>((resolve, reject) => turns.push({ resolve, reject })),
  );
  const [first, second] = [run({ id: 1, n: 1 }), run({ id: 1, n: 2 })];
  const failed = failureOf(() => first);
  await settle();
  assert.equal(writes.length, 1);
  turns[0].reject(new Error("away"));
  await failed;
  await settle();
  assert.equal(writes.length, 2);
  const third = run({ id: 1, n: 3 });
  turns[1].resolve();
  assert.deepEqual((await second).response, { data: { n: 2 } });
  assert.deepEqual((await third).response, { data: { n: 2 } });
  assert.equal(writes.length, 2);
});

/** A flow for HTTP callers, without a response of its own. */
const CREATES = [
  'from { connector = "r" }',
  dedupe(),
  to("a", 'operation = "create"\nwhen = "input.when"'),
  to("b"),
].join("\n");

test("without a response the first destination's result answers again, created or not", async () => {
  const results: Record<string, unknown> = { a: { row: 1, big: 2n ** 60n }, b: [] };
  const { run, writes } = await make(CREATES, (name) => results[name]);
  await run({ id: 1, when: true });
  await run({ id: 2, when: false });
  results.a = results.b = "another";
  const first = { response: undefined, result: { row: 1, big: String(2n ** 60n) }, created: true };
  assert.deepEqual(await run({ id: 1, when: true }), first);
  const second = { response: undefined, result: [], created: false };
  assert.deepEqual(await run({ id: 2, when: true }), second);
  assert.equal(writes.length, 3);
});

test("a repetition creates nothing new, but tells that the first event did", async () => {
  const { run } = await make(CREATES);
  await run({ id: 1, when: true });
  const again = await run({ id: 1, when: true });
  assert.deepEqual(again, { response: undefined, result: undefined, created: true });
});

test("an answer of more than 4 KB of JSON is not kept, nor one that is not JSON", async () => {
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  // JSON adds two quotes.
  const cases = [["x".repeat(4094), true], ["x".repeat(4095), false], ["é".repeat(2047), true], [
    "é".repeat(2048),
    false,
  ], [cycle, false]] as const;
  for (const [result, kept] of cases) {
    const { run, writes } = await make(CREATES, () => result);
    await run({ id: 1, when: true });
    const again = await run({ id: 1, when: true });
    assert.deepEqual([again.result, again.created], kept ? [result, true] : [undefined, false]);
    assert.equal(writes.length, 2);
  }
});

test("the key of an event that was delivered is kept even if its response fails", async () => {
  const body = [FROM, dedupe(), to("b"), 'response { n = "input.n + 1" }'].join("\n");
  const { run, writes } = await make(body);
  assert.equal((await failureOf(() => run({ id: 1 }))).code, "flow_failed");
  assert.deepEqual(await run({ id: 1, n: 1 }), {
    response: undefined,
    result: undefined,
    created: false,
  });
  assert.equal(writes.length, 1);
});

test("a field of an answer may have any name", async () => {
  const body = [FROM, dedupe(), to("b"), 'response { a = "input" }'].join("\n");
  const { run } = await make(body);
  const sent = JSON.parse(
    '{"id":1,"__proto__":{"x":1},"created":true,"data":null,"constructor":2}',
  );
  const { response } = await run(sent);
  const again = (await run(sent)).response;
  assert.equal(JSON.stringify(again), JSON.stringify(response));
});

test("an answer that cannot be read leaves the event handled; nobody's answer is not kept", async () => {
  const kept: unknown[] = [];
  const keys = (answer?: () => string): DedupeStore => ({
    has: () => kept.length > 0,
    add: (...entry) => void kept.push(entry[4]),
    ...(answer && { answer }),
  });
  const away = (): string => {
    throw new Error("away");
  };
  const body = BODY.replace('ttl = "10m"', 'ttl = "10m"\nstore = "c"');
  for (const store of [keys(away), keys()]) {
    kept.length = 0;
    const { run, log } = await make(body, undefined, { keys: store });
    await run({ id: 1 });
    assert.equal(typeof kept[0], "string");
    assert.equal((await run({ id: 1 })).response, undefined);
    assert.equal(log.records.length, store.answer === undefined ? 0 : 1);
  }
  kept.length = 0;
  const silent = body.replace('response { id = "input.id" }', "");
  const { run } = await make(silent, () => ({ big: true }), { keys: keys(away) });
  await run({ id: 1 });
  await run({ id: 1 });
  assert.deepEqual(kept, [undefined]);
});

test("answers in memory take a bounded space: the oldest are forgotten, not their keys", () => {
  const keys = new MemoryDedupeStore(100_000);
  const answer = "x".repeat(4096);
  for (let i = 0; i < 4097; i++) keys.add("f", String(i), 0, 10, answer);
  assert.deepEqual([keys.has("f", "0", 0), keys.answer("f", "0", 0)], [true, undefined]);
  assert.equal(keys.answer("f", "1", 0), answer);
  assert.equal(keys.answer("f", "1", 10), undefined);
  // A key that is kept again takes no more space than before.
  for (let i = 0; i < 10; i++) keys.add("f", "4096", 0, 10, answer);
  assert.equal(keys.answer("f", "1", 0), answer);
  keys.add("f", "1", 0, 10);
  assert.equal(keys.answer("f", "1", 0), undefined);
  keys.add("f", "new", 0, 10, answer);
  assert.equal(keys.answer("f", "2", 0), answer);
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
