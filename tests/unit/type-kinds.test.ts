/** Each kind and each option of a type: what it takes and what it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldOf, violations } from "./type-support.ts";

const NUL = "must not have a NUL character";
const SURROGATE = "must not have half of a surrogate pair";
const ID = "must be a string of 1 to 255 characters or a whole number";

/** A field's type, values that it takes, and values with the message that each is refused with. */
const cases: ReadonlyArray<
  readonly [
    written: string,
    good: readonly unknown[],
    bad: ReadonlyArray<readonly [unknown, string]>,
  ]
> = [
  ["string", ["", "a", "😀", "null"], [
    ["a\0", NUL],
    ["\ud800", SURROGATE],
    ["a\udc00b", SURROGATE],
    ["\0\ud800", NUL],
    [1, "must be a string"],
    [true, "must be a string"],
    [["a"], "must be a string"],
    [{}, "must be a string"],
    [null, "is missing"],
    [undefined, "is missing"],
  ]],
  ["string({ required = true })", [""], [[null, "is missing"]]],
  ["string({ required = false })", ["", null, undefined], [[false, "must be a string"]]],
  ["string({ min_length = 1 })", ["a", "😀", " "], [["", "must have at least 1 character"]]],
  ["string({ min_length = 3 })", ["abc", "😀😀😀", "ab😀"], [
    ["ab", "must have at least 3 characters"],
    ["😀😀", "must have at least 3 characters"],
    ["a😀", "must have at least 3 characters"],
  ]],
  ["string({ min_length = 0 })", [""], []],
  ["string({ max_length = 1 })", ["", "a", "😀"], [
    ["ab", "must have at most 1 character"],
    ["😀a", "must have at most 1 character"],
  ]],
  ["string({ max_length = 2 })", ["😀😀", "a😀"], [
    ["😀😀a", "must have at most 2 characters"],
    ["aaaaa", "must have at most 2 characters"],
  ]],
  ["string({ max_length = 0 })", [""], [["a", "must have at most 0 characters"]]],
  ['string({ pattern = "b+" })', ["b", "abba"], [["ac", "must match the pattern b+"]]],
  ['string({ pattern = "^b.$" })', ["bc", "b😀"], [
    ["abc", "must match the pattern ^b.$"],
    ["b\n", "must match the pattern ^b.$"],
  ]],
  ['string({ enum = ["red", "blue"] })', ["red", "blue"], [
    ["green", 'must be one of "red", "blue"'],
    ["Red", 'must be one of "red", "blue"'],
    ["constructor", 'must be one of "red", "blue"'],
  ]],
  ["number", [0, -0, 1.5, -1e300, 2 ** 60], [
    ["1", "must be a number"],
    [NaN, "must be a number"],
    [Infinity, "must be a number"],
    [1n, "must be a number"],
    [true, "must be a number"],
  ]],
  ["integer", [0, -0, 5.0, -7, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER], [
    [5.5, "must be a whole number"],
    ["5", "must be a whole number"],
    [NaN, "must be a whole number"],
    [Infinity, "must be a whole number"],
    [1n, "must be a whole number"],
    [true, "must be a whole number"],
    [2 ** 53, "must be from -9007199254740991 to 9007199254740991"],
    [-1e300, "must be from -9007199254740991 to 9007199254740991"],
    [null, "is missing"],
  ]],
  ["integer({ min = -1, max = 1 })", [-1, 0, 1], [
    [-2, "must be at least -1"],
    [2, "must be at most 1"],
    [0.5, "must be a whole number"],
  ]],
  ["integer({ enum = [1, 2] })", [1, 2], [[3, "must be one of 1, 2"]]],
  ["number({ min = 1.5 })", [1.5, 2], [[1.4, "must be at least 1.5"]]],
  ["number({ max = -1 })", [-1, -2], [[0, "must be at most -1"]]],
  ["number({ min = 1, max = 1 })", [1], [[2, "must be at most 1"], [0, "must be at least 1"]]],
  ["number({ enum = [1, 2.5] })", [1, 2.5], [[2, "must be one of 1, 2.5"]]],
  ["boolean", [true, false], [
    [0, "must be true or false"],
    ["true", "must be true or false"],
    [null, "is missing"],
  ]],
  ["boolean({ required = false })", [null, false], [["", "must be true or false"]]],
  ["object", [{}, { a: { b: [] } }, Object.create(null)], [
    [[], "must be an object"],
    ["{}", "must be an object"],
    [null, "is missing"],
  ]],
  ["object({ required = false })", [{ a: 1 }, null], [[1, "must be an object"]]],
  ["array(string)", [[], ["a", "b"]], [
    ["a", "must be an array"],
    [{ length: 0 }, "must be an array"],
    [null, "is missing"],
  ]],
  ["array(string, { min_length = 1 })", [["a"]], [[[], "must have at least 1 item"]]],
  ["array(string, { max_length = 2 })", [["a", "b"]], [
    [["a", "b", "c"], "must have at most 2 items"],
  ]],
  ["array(string, { required = false })", [[], null], [["", "must be an array"]]],
  ["array(string({ required = false }))", [["a", null]], []],
  ["array(array(number))", [[[1], []]], []],
  ["id", ["a", "7", 7, 0, -1, "x".repeat(255), "😀".repeat(255), Number.MAX_SAFE_INTEGER], [
    ["", ID],
    ["x".repeat(256), ID],
    [1.5, ID],
    [2 ** 53, ID],
    [NaN, ID],
    [true, ID],
    [{}, ID],
    ["a\0b", NUL],
    ["\udfff", SURROGATE],
    [null, "is missing"],
  ]],
  ["id({ required = false })", [null, 1], [["", ID]]],
];

for (const [written, good, bad] of cases) {
  test(`type kinds: ${written}`, async () => {
    const type = await fieldOf(written);
    for (const x of good) {
      const value = { x };
      const checked = type.check(value);
      assert.ok("value" in checked, `${JSON.stringify(x)} is refused`);
      assert.equal(checked.value, value, "the very same object");
    }
    for (const [x, message] of bad) assert.deepEqual(violations(type, { x }), [`x: ${message}`]);
  });
}

test("type kinds: items and nested fields are refused at their places", async () => {
  const tags = await fieldOf("array(string({ max_length = 2 }))");
  assert.deepEqual(violations(tags, { x: ["a", 1, null, "abc"] }), [
    "x[1]: must be a string",
    "x[2]: is missing",
    "x[3]: must have at most 2 characters",
  ]);
  const rows = await fieldOf("array(array(object({ n = number })))");
  assert.deepEqual(violations(rows, { x: [[{ n: 1 }], [{ n: 1 }, { n: "1" }, 7]] }), [
    "x[1][1].n: must be a number",
    "x[1][2]: must be an object",
  ]);
});

test("type kinds: a nested object is as strict as a type", async () => {
  const strict = await fieldOf("object({ street = string, zip = string({ required = false }) })");
  assert.deepEqual(violations(strict, { x: { street: "a" } }), []);
  assert.deepEqual(violations(strict, { x: { zip: "1", stret: "a" } }), [
    "x.street: is missing",
    'x.stret: unknown field, did you mean "street"?',
  ]);
  assert.deepEqual(violations(strict, {}), ["x: is missing"]);
  const loose = await fieldOf("object({ a = string }, { additional = true, required = false })");
  for (const good of [{}, { x: null }, { x: { a: "1", b: 2 } }]) {
    assert.deepEqual(violations(loose, good), []);
  }
  assert.deepEqual(violations(loose, { x: { b: 2 } }), ["x.a: is missing"]);
  const closed = await fieldOf("object({ a = string }, { additional = false })");
  assert.deepEqual(violations(closed, { x: { a: "", bbb: 2 } }), ["x.bbb: unknown field"]);
});

test("type kinds: all options of one string are checked, a too long text by no pattern", async () => {
  const type = await fieldOf(
    'string({ min_length = 2, pattern = "^[0-9]*$", enum = ["12"], format = "uuid" })',
  );
  assert.deepEqual(violations(type, { x: "a" }), [
    "x: must have at least 2 characters",
    "x: must be a UUID",
    "x: must match the pattern ^[0-9]*$",
    'x: must be one of "12"',
  ]);
  const short = await fieldOf('string({ max_length = 2, pattern = "^[0-9]*$" })');
  assert.deepEqual(violations(short, { x: "abc" }), ["x: must have at most 2 characters"]);
});
