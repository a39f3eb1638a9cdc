/** Long texts and bytes in expressions: the quick ways do what the plain ones do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compileExpression, Meter } from "../../src/expression/mod.ts";
import { toHex } from "../../src/base/text.ts";
import { fromBase64, joined, toBase64 } from "../../src/expression/bytes.ts";
import { weightOf } from "../../src/expression/pattern.ts";
import {
  Finder,
  indexOf,
  indexOfUnit,
  lastIndexOf,
  lengthOf,
  unitOf,
} from "../../src/expression/characters.ts";
import { seeded } from "../support/random.ts";
import { hostile } from "../support/hostile.ts";

const RUNS = { seed: 20_261_127, numRuns: 500 };

const free = () => new Meter(Infinity);

function evaluate(text: string, input: unknown): unknown {
  return compileExpression(text, ["input"]).evaluate({ input });
}

/** Texts of few letters, so that much of them matches. */
const letters = (maxLength: number) =>
  fc.array(fc.constantFrom("a", "b"), { maxLength }).map((list) => list.join(""));

test("expression texts: a long text is found where the runtime finds it", () => {
  const parts = fc.tuple(letters(120), letters(50), fc.nat(130)).map(([text, part, from]) => ({
    text: text + part + text,
    part: part.repeat(1 + Math.floor(40 / Math.max(1, part.length))),
    from,
  }));
  fc.assert(
    fc.property(parts, ({ text, part, from }) => {
      assert.equal(indexOf(free(), text, part, from), text.indexOf(part, from));
      assert.equal(lastIndexOf(free(), text, part, from), text.lastIndexOf(part, from));
      if (part === "") return;
      const finder = new Finder(free(), part);
      assert.equal(finder.next(text, 0), text.indexOf(part));
      assert.equal(finder.next(text, from), text.indexOf(part, from));
    }),
    RUNS,
  );
});

test("expression texts: split and replace do what the runtime does, up to a limit", () => {
  fc.assert(
    fc.property(letters(80), letters(3), fc.nat(5), (text, part, limit) => {
      assert.deepEqual(evaluate("split(input.a, input.b)", { a: text, b: part }), text.split(part));
      const all = text.split(part);
      const expected = limit === 0
        ? []
        : all.length <= limit
        ? all
        : [...all.slice(0, limit - 1), all.slice(limit - 1).join(part)];
      assert.deepEqual(
        evaluate("split(input.a, input.b, input.n)", { a: text, b: part, n: limit }),
        expected,
      );
      assert.equal(
        evaluate("replace(input.a, input.b, 'x$&')", { a: text, b: part }),
        text.replaceAll(part, () => "x$&"),
      );
    }),
    RUNS,
  );
});

test("expression texts: positions count characters, and a lone surrogate is one", () => {
  const units = fc.array(fc.constantFrom("a", "é", "😀", "\ud83d", "\ude00"), { maxLength: 20 });
  fc.assert(
    fc.property(units, fc.nat(25), (list, index) => {
      const text = list.join("");
      const characters = Array.from(text);
      assert.equal(lengthOf(free(), text), characters.length);
      const unit = characters.slice(0, index).join("").length;
      assert.equal(unitOf(free(), text, index), unit);
      assert.equal(indexOfUnit(free(), text, unit), Math.min(index, characters.length));
    }),
    RUNS,
  );
});

test("expression texts: bytes join, are base64 and are hexadecimal, whatever their number", () => {
  for (const size of [0, 1, 255, 8_191, 8_192, 8_193, 150_000, 500_000]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7);
    assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    assert.equal(
      toHex(bytes),
      bytes.reduce((text, b) => text + b.toString(16).padStart(2, "0"), ""),
    );
    const twice = joined(bytes, bytes);
    assert.equal(twice.length, 2 * size);
    assert.deepEqual(twice.subarray(size), bytes);
  }
  const text = "a".repeat(250_000);
  assert.equal(evaluate("size(bytes(input.text) + bytes(input.text))", { text }), 500_000);
  assert.equal(evaluate("string(bytes(input.text) + b'b')", { text }), `${text}b`);
});

test("expression texts: a pattern weighs at least what it repeats", () => {
  assert.ok(weightOf("(?:\\pL{1000})") >= 1_000);
  assert.ok(weightOf("((a{10}){10}){10}") >= 1_000);
  assert.ok(weightOf("[a-z]{20}") >= 20 && weightOf("[a-z]{20}") < 500);
  assert.ok(weightOf("^\\w+@[a-z.]{1,64}$") < 2_000);
  assert.ok(weightOf("\\Q[\\E(\\pL{500}){500}") >= 250_000);
  assert.ok(weightOf("[]\\]a]{3}(?i:x{100})(?P<n>y{2,50})") >= 150);
  assert.ok(weightOf("[[:alpha:]]{9}b{900}") >= 900);
  assert.equal(weightOf(""), 0);
});

test("expression texts: a pattern of the event is short and small, one of the configuration may be larger", () => {
  const matches = (pattern: unknown) => evaluate("matches('abc', input.pattern)", { pattern });
  assert.equal(matches("^a.c$"), true);
  assert.equal(matches("[\\pL\\pN]{3}"), true);
  assert.throws(() => matches("a".repeat(1_001)), /takes at most 1000 characters of a pattern/);
  for (const name of ["repeated", "nested", "folded"]) {
    assert.throws(() => matches(hostile[name]), /matches\(\): the pattern is too large/, name);
  }
  assert.throws(() => matches("("), /matches\(\) cannot parse its pattern/);
  assert.equal(evaluate(`matches(input, '^${"a".repeat(2_000)}b?')`, "a".repeat(2_000)), true);
  assert.throws(() => compileExpression("matches('', '(a{1000}){1000}')", []), /too large/);
});

test("expression texts: a pattern asks for as many steps as it takes", () => {
  const text = "aB".repeat(100_000);
  assert.equal(evaluate("matches(input, '^(aB)+$')", text), true);
  assert.equal(evaluate("matches(input, '(?i)^(?:[ab]{2})*$')", text), true);
  // Its states are more than the table holds, and the other way takes each of its 600 parts.
  const random = seeded(1);
  const noise = Array.from({ length: 200_000 }, () => random.below(2) === 0 ? "a" : "b").join("");
  const pattern = "matches(input, '(?:.{0,30}a){10}$')";
  assert.throws(() => evaluate(pattern, `${noise}c`), /more steps than the 10 million/);
  assert.equal(evaluate(pattern, `${noise.slice(0, 2_000)}c`), false);
});
