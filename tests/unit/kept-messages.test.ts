/** The store of the newest messages of topics. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeptMessages } from "../../src/base/kept-messages.ts";
import { ManualClock } from "../support/clock.ts";
import { seeded } from "../support/random.ts";

const KEEP = { size: 3, ttl: 10_000 };

function store(isUsed?: (topic: string) => boolean) {
  const clock = new ManualClock();
  return { clock, kept: new KeptMessages<string>(clock, "e", isUsed) };
}

test("kept messages: offsets rise by one in each topic, and the oldest goes", () => {
  const { kept } = store();
  assert.equal(kept.offset("a"), 0);
  const offsets = ["1", "2", "3", "4"].map((text) => kept.append("a", text, KEEP));
  assert.deepEqual([offsets, kept.append("b", "x", KEEP)], [[1, 2, 3, 4], 1]);
  assert.deepEqual([kept.offset("a"), kept.offset("b"), kept.messages, kept.topics], [4, 1, 4, 2]);
  assert.deepEqual(kept.newest("a", 2), ["3", "4"]);
  assert.deepEqual(kept.newest("a", 0), []);
  assert.deepEqual(kept.newest("a", 9), ["2", "3", "4"]);
  assert.deepEqual(kept.newest("c", 9), []);
  kept.close();
});

test("kept messages: what follows a position, or undefined where some of it is gone", () => {
  const { kept } = store();
  for (const text of ["1", "2", "3", "4"]) kept.append("a", text, KEEP);
  const after = (offset: number, epoch = "e") => kept.after("a", { epoch, offset });
  assert.deepEqual([after(4), after(3), after(1)], [[], ["4"], ["2", "3", "4"]]);
  assert.deepEqual([after(0), after(5), after(3, "f")], [undefined, undefined, undefined]);
  assert.deepEqual(kept.after("new", { epoch: "e", offset: 0 }), []);
  assert.equal(kept.after("new", { epoch: "e", offset: 1 }), undefined);
  kept.close();
});

test("kept messages: an id that is still there is not added again", () => {
  const { kept } = store();
  assert.equal(kept.append("a", "1", KEEP, "x"), 1);
  assert.equal(kept.append("a", "again", KEEP, "x"), undefined);
  assert.equal(kept.append("b", "1", KEEP, "x"), 1);
  assert.equal(kept.append("a", "2", KEEP, "__proto__"), 2);
  kept.append("a", "3", KEEP);
  assert.equal(kept.append("a", "4", KEEP, "x"), undefined);
  // Now the first one goes, and its id with it.
  assert.equal(kept.append("a", "4", KEEP, "y"), 4);
  assert.equal(kept.append("a", "5", KEEP, "x"), 5);
  assert.deepEqual(kept.newest("a", 3), ["3", "4", "5"]);
  kept.close();
});

test("kept messages: they are over after their time, and no offset is used twice", async () => {
  const used = new Set<string>();
  const { clock, kept } = store((topic) => used.has(topic));
  for (const text of ["1", "2"]) kept.append("a", text, KEEP, text);
  kept.append("b", "1", KEEP);
  await clock.advance(9_000);
  kept.append("b", "2", KEEP);
  await clock.advance(1_000);
  // It counts as over before it is forgotten.
  assert.deepEqual([kept.newest("a", 9), kept.offset("a")], [[], 2]);
  assert.deepEqual(kept.newest("b", 9), ["1", "2"]);
  assert.equal(kept.append("a", "3", KEEP, "1"), 3);
  used.add("a");
  await clock.advance(120_000);
  assert.deepEqual([kept.topics, kept.messages, kept.offset("a"), kept.offset("b")], [1, 0, 3, 2]);
  assert.deepEqual(kept.after("a", { epoch: "e", offset: 3 }), []);
  used.clear();
  await clock.advance(120_000);
  assert.deepEqual([kept.topics, clock.waiting], [0, 0]);
  // What is new begins after everything that there has been.
  assert.equal(kept.append("c", "1", KEEP), 4);
  assert.equal(kept.append("a", "4", KEEP), 4);
  kept.close();
  assert.equal(clock.waiting, 0);
});

test("kept messages: 20 000 random steps: the same as plain lists, also where the size changes", () => {
  const random = seeded(7);
  const { kept } = store();
  const lists = new Map<string, { offset: number; text: string; id: string | undefined }[]>();
  const last = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const topic = `t${random.below(4)}`;
    const size = random.chance(0.02) ? 1 + random.below(9) : 4;
    const id = random.chance(0.5) ? `i${random.below(8)}` : undefined;
    const list = (lists.get(topic) ?? []).slice(-size);
    const isThere = id !== undefined && list.some((one) => one.id === id);
    const offset = (last.get(topic) ?? 0) + 1;
    assert.equal(
      kept.append(topic, `m${step}`, { size, ttl: 60_000 }, id),
      isThere ? undefined : offset,
    );
    if (!isThere) {
      last.set(topic, offset);
      list.push({ offset, text: `m${step}`, id });
    }
    lists.set(topic, list.slice(-size));
    const known = lists.get(topic) ?? [];
    assert.deepEqual(kept.newest(topic, 20), known.map(({ text }) => text));
    const from = Math.max(0, offset - random.below(8));
    const first = known.at(0)?.offset ?? 1;
    const isWhole = from >= first - 1 && from <= (last.get(topic) ?? 0);
    assert.deepEqual(
      kept.after(topic, { epoch: "e", offset: from }),
      isWhole ? known.filter((one) => one.offset > from).map(({ text }) => text) : undefined,
    );
  }
  const all = [...lists.values()].flat();
  assert.equal(kept.messages, all.length);
  kept.close();
});
