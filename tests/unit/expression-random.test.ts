import { test } from "node:test";
import assert from "node:assert/strict";
import { ExpressionError } from "../../src/base/errors.ts";
import { compileExpression } from "../../src/expression/mod.ts";

/** A small seeded generator (mulberry32), so that a failure can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function oneOf<T>(random: () => number, items: readonly T[]): T {
  return items[Math.floor(random() * items.length)];
}

const NAMES = ["a", "b", "__proto__", "constructor", "é", "0"];

function randomData(random: () => number, depth = 3): unknown {
  const leaves = [null, true, false, 0, 1, -1.5, 3, 1e300, "", "a", "😀x", "7"];
  if (depth === 0 || random() < 0.4) return oneOf(random, leaves);
  const length = Math.floor(random() * 4);
  const items = Array.from({ length }, () => randomData(random, depth - 1));
  if (random() < 0.5) return items;
  return Object.fromEntries(items.map((item) => [oneOf(random, NAMES), item]));
}

function randomExpression(random: () => number, depth = 4): string {
  const leaves = [
    "input",
    "input.a",
    "input['b'].a",
    "input.a[0]",
    "1",
    "2.5",
    "'x'",
    "null",
    "true",
  ];
  if (depth === 0 || random() < 0.2) return oneOf(random, leaves);
  const part = () => randomExpression(random, depth - 1);
  return oneOf(random, [
    () => `(${part()} ${oneOf(random, ["+", "-", "*", "/", "%"])} ${part()})`,
    () => `(${part()} ${oneOf(random, ["==", "!=", "<", ">=", "in"])} ${part()})`,
    () => `(${part()} ${oneOf(random, ["&&", "||"])} ${part()})`,
    () => `(${part()} ? ${part()} : ${part()})`,
    () => `[${part()}, ${part()}]`,
    () => `{'a': ${part()}, 'b': ${part()}}`,
    () => `as_list(${part()}).${oneOf(random, ["map", "filter", "all", "exists"])}(x, ${part()})`,
    () =>
      `${oneOf(random, ["len", "unique", "sum", "merge", "sort", "string", "type"])}(${part()})`,
    () => `coalesce(${part()}, ${part()})`,
    () => `(${part()}).a`,
    () => `!${part()}`,
  ])();
}

test("any expression on any data gives plain JSON or an ExpressionError", () => {
  const random = seeded(20_240_305);
  let values = 0;
  for (let round = 0; round < 4000; round++) {
    const source = randomExpression(random);
    const input = randomData(random);
    const before = JSON.stringify(input);
    try {
      const value = compileExpression(source, ["input"]).evaluate({ input });
      // The way through JSON changes nothing: no bigint, no undefined, no -0, no NaN.
      assert.deepStrictEqual(JSON.parse(JSON.stringify(value)), value, source);
      values++;
    } catch (error) {
      assert.ok(error instanceof ExpressionError, `${source} on ${before}: ${error}`);
      assert.ok(error.start >= 0 && error.start <= error.end && error.end <= source.length, source);
    }
    assert.equal(JSON.stringify(input), before, source);
  }
  assert.ok(values > 1000, `only ${values} expressions had a value`);
});

test("mixed numbers agree with JavaScript", () => {
  const random = seeded(7);
  const number = () => random() < 0.5 ? Math.floor(random() * 200 - 100) : random() * 10 - 5;
  for (let round = 0; round < 2000; round++) {
    const a = number();
    const b = Math.floor(random() * 50) + 1;
    const results = compileExpression(
      `[input + ${b}, ${b} - input, input * ${b}, input / ${b}, input % ${b}]`,
      ["input"],
    ).evaluate({ input: a });
    const expected = [a + b, b - a, a * b, a / b, a % b].map((value) => value + 0);
    assert.deepStrictEqual(results, expected);
    const order = compileExpression(
      `[input < ${b}, ${b} < input, input == ${b}, input <= ${b}, input in [${b}, 'x']]`,
      ["input"],
    ).evaluate({ input: a });
    assert.deepStrictEqual(order, [a < b, b < a, a === b, a <= b, a === b]);
  }
});

test("equality holds for copies, and unique and == agree", () => {
  const random = seeded(99);
  const same = compileExpression("input == output", ["input", "output"]);
  const unique = compileExpression("size(unique([input, output])) == 1", ["input", "output"]);
  for (let round = 0; round < 2000; round++) {
    const input = randomData(random);
    assert.equal(same.evaluate({ input, output: structuredClone(input) }), true);
    const output = randomData(random);
    assert.equal(
      unique.evaluate({ input, output }),
      same.evaluate({ input, output }),
      JSON.stringify([input, output]),
    );
    assert.equal(same.evaluate({ input, output }), same.evaluate({ input: output, output: input }));
  }
});

test("characters: indices, lengths and parts fit together", () => {
  const random = seeded(5);
  const alphabet = ["a", "b", "é", "😀", "👩‍👩‍👧", " ", "\u0000"];
  const parts = compileExpression(
    "substring(input.t, 0, input.i) + substring(input.t, input.i) == input.t && " +
      "size(substring(input.t, 0, input.i)) == input.i && " +
      "reverse(reverse(input.t)) == input.t && join(split(input.t, ''), '') == input.t",
    ["input"],
  );
  for (let round = 0; round < 2000; round++) {
    const t = Array.from({ length: Math.floor(random() * 8) }, () => oneOf(random, alphabet)).join(
      "",
    );
    const i = Math.floor(random() * (Array.from(t).length + 1));
    assert.equal(parts.evaluate({ input: { t, i } }), true, JSON.stringify([t, i]));
  }
});

test("nonsense never compiles into anything but an ExpressionError", () => {
  const random = seeded(11);
  const pieces = [
    "input",
    ".",
    "[",
    "]",
    "(",
    ")",
    "'",
    '"',
    "+",
    "&&",
    "?",
    ":",
    "1",
    "u",
    "\\",
    "é",
    "{",
  ];
  for (let round = 0; round < 5000; round++) {
    const length = 1 + Math.floor(random() * 10);
    const source = Array.from({ length }, () => oneOf(random, pieces)).join("");
    try {
      compileExpression(source, ["input"]);
    } catch (error) {
      assert.ok(error instanceof ExpressionError, `${source}: ${error}`);
      assert.ok(error.start >= 0 && error.start <= error.end && error.end <= source.length, source);
    }
  }
});
