/** Destinations that run for each element of a list. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { endOfTick } from "../../src/base/clock.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import { ManualClock, settle } from "../support/clock.ts";
import { failureOf, FROM, make } from "../support/flow.ts";

/** A block with these lines. */
function block(header: string, ...lines: string[]): string {
  return `${header} {\n${lines.join("\n")}\n}`;
}

/** A destination that goes through `input.list`. */
function each(connector: string, ...lines: string[]): string {
  return block("to", 'each = "input.list"', `connector = "${connector}"`, ...lines);
}

const RETRY = block("error_handling", block("retry", "attempts = 3"));

test("each sends the elements of a list, in their order; the payload stays the flow's", async () => {
  const { run, writes } = await make([
    FROM,
    each("a", 'target = "item.room + payload.suffix"'),
    each(
      "b",
      'when = "index != 1"',
      block(
        "transform",
        'room = "output.room + item.room"',
        'n = "index"',
        'of = "payload.suffix"',
      ),
    ),
    each("b", block("transform", "extend = true", 'n = "index"')),
  ].join("\n"));
  await run({ suffix: "!", list: [{ room: "x" }, { room: "y" }] });
  assert.deepEqual(writes.map(({ target, payload }) => [target, payload]), [
    ["x!", { room: "x" }],
    [undefined, { room: "xx", n: 0, of: "!" }],
    [undefined, { room: "x", n: 0 }],
    ["y!", { room: "y" }],
    [undefined, { room: "y", n: 1 }],
  ]);
});

test("an element that is no object is sent as it is; item alone is a target", async () => {
  const { run, writes } = await make([FROM, each("a", 'target = "item"')].join("\n"));
  await run({ list: ["x", 7] });
  assert.deepEqual(writes.map(({ target, payload }) => [target, payload]), [["x", "x"], ["7", 7]]);
});

test("neighbours with the same list run together, others one list after the other", async () => {
  const seen: unknown[] = [];
  const { run } = await make(
    [
      FROM,
      each("a"),
      each("b"),
      block("to", 'each = "input.list.map(x, x)"', 'connector = "c"'),
      block("to", 'connector = "c"', block("transform", 'all = "input.list"')),
      each("a"),
    ].join("\n"),
    (name, { payload }) => void seen.push([name, payload]),
  );
  await run({ list: [1, 2] });
  assert.deepEqual(seen, [
    ...[["a", 1], ["b", 1], ["a", 2], ["b", 2]],
    ...[["c", 1], ["c", 2]],
    ["c", { all: [1, 2] }],
    ...[["a", 1], ["a", 2]],
  ]);
});

test("null is an empty list; anything else fails and names the place", async () => {
  const { run, writes, log } = await make([FROM, each("a"), each("b")].join("\n"));
  await run({});
  await run({ list: [] });
  assert.equal(writes.length, 0);
  const failure = await failureOf(() => run({ list: { length: 2 } }));
  assert.equal(failure.permanent, true);
  assert.match(
    log.records[0].text,
    /config\.hcl:\d+ \(flow "f", to, each\): each needs a list, and "input.list" is an object/,
  );
});

test("the list is evaluated once for neighbours", async () => {
  const { run, writes } = await make([
    FROM,
    block("to", 'each = "[uuid()]"', 'connector = "a"'),
    block("to", 'each = "[uuid()]"', 'connector = "b"'),
  ].join("\n"));
  await run();
  assert.equal(writes.length, 2);
  assert.equal(writes[0].payload, writes[1].payload);
});

test("results: of this element within the neighbours, a list after them; null for a skipped one", async () => {
  const { run, writes } = await make(
    [
      FROM,
      block(
        'to "saved"',
        'each = "input.list"',
        'connector = "a"',
        'when = "item != 2"',
      ),
      each("b", block("transform", 'id = "results.saved"', 'before = "outputs"')),
      block(
        "to",
        'connector = "c"',
        block("transform", 'all = "results.saved"', 'outputs = "outputs"'),
      ),
      block("response", 'first = "output"', 'saved = "results.saved"'),
    ].join("\n"),
    (name, { payload }) => name === "a" ? `row ${payload}` : undefined,
  );
  const { response, result } = await run({ list: [1, 2, 3] });
  const all = ["row 1", null, "row 3"];
  assert.deepEqual(writes.map(({ payload }) => payload), [
    1,
    { id: "row 1", before: [] },
    { id: null, before: [] },
    3,
    { id: "row 3", before: [] },
    { all, outputs: [all, [null, null, null]] },
  ]);
  assert.deepEqual(response, { data: { first: all, saved: all } });
  assert.deepEqual(result, all);
});

test("created: where the destination creates and the list has something to write", async () => {
  const { run } = await make(
    [FROM, each("a", 'operation = "create"', 'when = "item > 1"')].join("\n"),
  );
  assert.equal((await run({ list: [1, 2] })).created, true);
  assert.equal((await run({ list: [1] })).created, false);
  assert.equal((await run({ list: [] })).created, false);
});

test("a failure stops at its element and destination; a retry goes on there, and repeats nothing", async () => {
  const clock = new ManualClock();
  let tries = 0;
  const { run, writes, log } = await make(
    [
      FROM,
      block('to "saved"', 'each = "input.list"', 'connector = "a"'),
      each("b", block("transform", 'id = "results.saved"')),
      RETRY,
    ].join("\n"),
    (name, { payload }) => {
      if (name === "b" && (payload as { id: number }).id === 20 && ++tries < 3) {
        throw new Error("away");
      }
      return name === "a" ? Number(payload) * 10 : undefined;
    },
    { clock },
  );
  const running = run({ list: [1, 2, 3] });
  await clock.advance(10_000);
  await running;
  assert.deepEqual(writes.map(({ payload }) => payload), [
    1,
    { id: 10 },
    2,
    ...[{ id: 20 }, { id: 20 }, { id: 20 }],
    3,
    { id: 30 },
  ]);
  assert.match(log.records[0].text, /retrying in .*: at index 1: away/);
});

test("the log of a failure names the element; error.step is the connector", async () => {
  const { run, writes, log } = await make(
    [
      FROM,
      each("a"),
      block(
        "error_handling",
        block("fallback", 'connector = "b"', block("transform", 'step = "error.step"')),
      ),
    ].join("\n"),
    (name, { payload }) => {
      if (name === "a" && payload === 2) throw new Error("away");
    },
  );
  await run({ list: [1, 2, 3] });
  assert.deepEqual(writes.map(({ payload }) => payload), [1, 2, { step: "a" }]);
  assert.match(log.records[0].text, /flow f failed \(ref \w+\): at index 1: away/);
});

test("a fallback with each takes every element, with the error where it asks for it", async () => {
  const { run, writes, log } = await make(
    [
      FROM,
      each("a"),
      block(
        "error_handling",
        block(
          "fallback",
          'each = "payload.list"',
          'connector = "b"',
          'target = "item.id"',
          "include_error = true",
        ),
      ),
    ].join("\n"),
    (name, { target, payload }) => {
      const { id } = payload as { id: string };
      if (name === "a" ? id !== "x" : target === "bad") throw new Error("away");
    },
  );
  await run({ list: [{ id: "x" }, { id: "y" }] });
  assert.deepEqual(
    writes.slice(2).map(({ target, payload }) => {
      const { id, error } = payload as { id: string; error: { message: string } };
      return [target, id, error.message];
    }),
    [["x", "x", "away"], ["y", "y", "away"]],
  );
  await failureOf(() => run({ list: [{ id: "x" }, { id: "bad" }] }));
  assert.match(log.records.at(-1)!.text, /fallback failed \(ref \w+\): at index 1: away/);
});

test("destinations that wait are written to one after the other", async () => {
  const waiting: (() => void)[] = [];
  const { run, writes } = await make(
    [FROM, each("a")].join("\n"),
    () => new Promise<void>((resolve) => waiting.push(resolve)),
  );
  const running = run({ list: [1, 2] });
  await settle();
  assert.equal(writes.length, 1);
  waiting[0]();
  await settle();
  assert.equal(writes.length, 2);
  waiting[1]();
  await running;
});

test("a permanent failure of an element is not retried", async () => {
  const { run, writes } = await make([FROM, each("a"), RETRY].join("\n"), () => {
    throw new ConnectorError("a", "no such table", { permanent: true });
  });
  await failureOf(() => run({ list: [1, 2] }));
  assert.equal(writes.length, 1);
});

test("the expressions of a long list have steps for all of it", async () => {
  const { run, writes } = await make([
    FROM,
    // About 5000 steps for each element, 50 million in all.
    each("a", 'when = "payload.numbers.all(n, n >= 0)"', block("transform", 'n = "index"')),
  ].join("\n"));
  const list = Array.from({ length: 10_000 }, (_, i) => i);
  const numbers = Array.from({ length: 2_500 }, (_, i) => i);
  await run({ list, numbers });
  assert.equal(writes.length, 10_000);
  assert.deepEqual(writes.at(-1)!.payload, { n: 9_999 });
});

test("a long list to destinations that never wait lets other events run now and then", async () => {
  let written = 0;
  let most = 0;
  const { run } = await make([FROM, each("a"), each("b")].join("\n"), () => void written++);
  const list = Array.from({ length: 5_000 }, () => 0);
  let ended = false;
  const running = Promise.resolve(run({ list })).then(() => ended = true);
  while (!ended) {
    most = Math.max(most, written);
    written = 0;
    await new Promise<void>(endOfTick);
  }
  await running;
  assert.ok(most > 0 && most <= 2_000, `${most} were written in one turn`);
});

test("one element has no more steps than one event", async () => {
  const { run, writes, log } = await make([
    FROM,
    each("a", 'when = "item == 0 || payload.numbers.all(a, payload.numbers.all(b, a + b >= 0))"'),
  ].join("\n"));
  const numbers = Array.from({ length: 3_000 }, (_, i) => i);
  await failureOf(() => run({ list: [0, 1], numbers }));
  assert.equal(writes.length, 1);
  assert.match(log.records[0].text, /at index 1: .*needs more steps than the 10 million/);
});
