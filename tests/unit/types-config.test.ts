/** Mistakes in `type` blocks: what is said of each, and where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readTypeBlocks } from "./type-support.ts";

/** The type of the field `x`, which stands at line 2, column 7, and its problems without the file. */
const fields: ReadonlyArray<readonly [written: string, ...problems: string[]]> = [
  // What is no type.
  ['"string"', "7+8 invalid-type"],
  ['"t"', "7+3 invalid-type"],
  ['"text"', "7+6 invalid-type"],
  ["5", "7+1 invalid-type"],
  ["null", "7+4 invalid-type"],
  ["[string]", "7+8 invalid-type"],
  ["{ a = string }", "7+14 invalid-type"],
  ["strin", "7+5 unknown-type"],
  ["adress", "7+6 unknown-type"],
  ["nothing", "7+7 unknown-type"],
  ["int", "7+3 unknown-type"],
  ["bool", "7+4 unknown-type"],
  ["list(t)", "7+4 unknown-type"],
  ["constructor", "7+11 unknown-type"],

  // Arguments.
  [
    'string("email")',
    "7+6 invalid-value",
  ],
  [
    "id(null)",
    "7+2 invalid-value",
  ],
  [
    "number([1])",
    "7+6 invalid-value",
  ],
  [
    "address(string)",
    "7+7 invalid-value",
  ],
  [
    "boolean({}, {})",
    "7+7 wrong-arguments",
  ],
  [
    "array(id, {}, {})",
    "7+5 wrong-arguments",
  ],
  ["array", "7+5 invalid-type"],
  [
    "array({ max_length = 3 })",
    "7+5 invalid-type",
  ],
  [
    'array("string")',
    "7+5 invalid-type",
  ],
  [
    "array(array(strin))",
    "19+5 unknown-type",
  ],
  ["object({}, {})", "7+6 empty-block"],
  [
    "object({ a = string, b = 5 })",
    "32+1 invalid-type",
  ],
  [
    "object({ a = object({ b = array(nmber) }) })",
    "39+5 unknown-type",
  ],
  [
    "object(string)",
    "7+6 invalid-value",
  ],

  // Options that a kind does not have.
  [
    "string({ maxlength = 3 })",
    "16+9 unknown-option",
  ],
  [
    "string({ min = 3 })",
    "16+3 unknown-option",
  ],
  [
    "number({ format = 1 })",
    "16+6 unknown-option",
  ],
  [
    "boolean({ enum = [true] })",
    "17+4 unknown-option",
  ],
  [
    "id({ max_length = 3 })",
    "12+10 unknown-option",
  ],
  [
    'array(string, { "pattern" : "a" })',
    "24+7 unknown-option",
  ],
  [
    "object({ additional = true })",
    "16+10 unknown-option",
  ],
  [
    "object({ a = string }, { min = 1 })",
    "32+3 unknown-option",
  ],
  [
    'address({ ("format") = "email" })',
    "30+7 unknown-option",
  ],
  [
    "string({ __proto__ = 1 })",
    "16+9 unknown-option",
  ],

  // Values of a wrong kind.
  ["string({ required = 1 })", "27+1 invalid-value"],
  [
    'string({ format = "emial" })',
    "25+7 invalid-value",
  ],
  ["string({ format = 1 })", "25+1 invalid-value"],
  [
    "string({ format = email })",
    "25+5 invalid-value",
  ],
  [
    "string({ min_length = -1 })",
    "29+2 invalid-value",
  ],
  [
    "string({ max_length = 1.5 })",
    "29+3 invalid-value",
  ],
  [
    'array(string, { max_length = "many" })',
    "36+6 invalid-value",
  ],
  ['number({ min = "low" })', "22+5 invalid-value"],
  ['number({ max = "0x1" })', "22+5 invalid-value"],
  ["number({ max = true })", "22+4 invalid-value"],
  ["integer({ min = 1.5 })", "23+3 invalid-value"],
  ["integer({ max = 9007199254740992 })", "23+16 invalid-value"],
  ["integer({ enum = [1, 2.5] })", "24+8 invalid-value"],
  ["integer({ default = 1.5 })", "27+3 invalid-value"],
  ["integer({ format = 1 })", "17+6 unknown-option"],
  ["string({ pattern = 1 })", "26+1 invalid-value"],
  [
    'string({ pattern = "(" })',
    "26+3 invalid-value",
  ],
  [
    'string({ pattern = "(?=a)" })',
    "26+7 invalid-value",
  ],
  ["string({ enum = [1] })", "23+3 invalid-value"],
  ['string({ enum = "a" })', "23+3 invalid-value"],
  ["string({ enum = [] })", "23+2 invalid-value"],
  ['number({ enum = [1, "2"] })', "23+8 invalid-value"],
  [
    "string({ enum = [red, blue] })",
    "24+3 invalid-value",
  ],
  [
    'object({ a = string }, { additional = "yes" })',
    "45+5 invalid-value",
  ],

  ['string({ trim = "yes" })', "23+5 invalid-value"],
  ["id({ lower = true })", "12+5 unknown-option"],

  // Options that contradict each other.
  ['string({ lower = true, enum = ["a", "B"] })', "37+10 invalid-limits"],
  ['string({ trim = true, lower = true, enum = [" A"] })', "50+6 invalid-limits"],
  ["number({ min = 2, max = 1 })", "22+1 invalid-limits"],
  ["integer({ min = 2, max = 1 })", "23+1 invalid-limits"],
  ['string({ enum = ["a", "b\\u0000"] })', "23+16 invalid-limits"],
  [
    "string({ min_length = 2, max_length = 1 })",
    "29+1 invalid-limits",
  ],
  [
    "array(id, { max_length = 1, min_length = 2 })",
    "48+1 invalid-limits",
  ],

  // Defaults.
  ["string({ default = 5 })", "26+1 invalid-default"],
  [
    "string({ default = null })",
    "26+4 invalid-value",
  ],
  [
    "string({ default = none })",
    "26+4 invalid-value",
  ],
  ['number({ default = "x" })', "26+3 invalid-value"],
  ["number({ min = 5, default = 3 })", "35+1 invalid-default"],
  ["integer({ min = 5, default = 3 })", "36+1 invalid-default"],
  ["boolean({ default = 1 })", "27+1 invalid-value"],
  [
    "id({ default = 1.5 })",
    "22+3 invalid-default",
  ],
  [
    'array(number, { default = [1, "2"] })',
    "33+8 invalid-default",
  ],
  [
    "array(number({ default = true }))",
    "32+4 invalid-value",
  ],
  [
    "object({ a = string({ default = 1 }) }, { required = false })",
    "39+1 invalid-default",
  ],
  [
    'address({ default = { city = "" } })',
    "27+13 invalid-default",
    "27+13 invalid-default",
  ],
  [
    "t({ default = {} })",
    "21+2 invalid-default",
  ],

  // Types without an end.
  [
    "t",
    "7+1 endless-type",
  ],
  [
    "array(object({ y = t }), { min_length = 1 })",
    "7+5 endless-type",
  ],
];

const ADDRESS = 'type "address" {\n  street = string\n}\n';

for (const [written, ...problems] of fields) {
  test(`type mistakes: x = ${written}`, async () => {
    const read = await readTypeBlocks(`type "t" {\n  x = ${written}\n}\n${ADDRESS}`);
    assert.deepEqual(read.problems, problems.map((problem) => `a.hcl:2:${problem}`));
  });
}

/** Whole configurations. */
const texts: ReadonlyArray<readonly [name: string, text: string, ...problems: string[]]> = [
  [
    "an empty type",
    'type "t" {}\n',
    "a.hcl:1:1+8 empty-block",
  ],
  [
    "an empty type that says so",
    'type "t" {\n  additional = false\n}\n',
    "a.hcl:1:1+8 empty-block",
  ],
  [
    "additional that is no boolean",
    'type "t" {\n  additional = "yes"\n  a = string\n}\n',
    "a.hcl:2:16+5 invalid-value",
  ],
  [
    "a block in a type",
    'type "t" {\n  to "x" {\n    a = string\n  }\n}\n',
    "a.hcl:2:3+6 unknown-block",
  ],
  [
    "a type with the name of a kind",
    'type "object" {\n  a = string\n}\n',
    "a.hcl:1:6+8 reserved-name",
  ],
  [
    "a value that cannot be evaluated is reported once",
    'type "t" {\n  additional = env("NOWHERE")\n  a = string({ enum = constants.x })\n  b = a.b\n}\n',
    "a.hcl:2:16+14 env-not-set",
    "a.hcl:3:33+1 unknown-constant",
    "a.hcl:4:7+1 unknown-variable",
  ],
  [
    "all mistakes of one field and of all fields",
    'type "t" {\n  a = string({ min_length = -1, format = 1, foo = 2 })\n  b = strin\n}\n',
    "a.hcl:2:29+2 invalid-value",
    "a.hcl:2:42+1 invalid-value",
    "a.hcl:2:45+3 unknown-option",
    "a.hcl:3:7+5 unknown-type",
  ],
  [
    "a circle of types is reported once, and not who refers to it",
    'type "s" {\n  a = a\n}\ntype "a" {\n  x = string\n  b = b({ required = true })\n}\ntype "b" {\n  c = object({ a = a })\n}\n',
    "a.hcl:6:7+1 endless-type",
  ],
  [
    "defaults that fill in each other",
    'type "a" {\n  b = b({ default = {} })\n}\ntype "b" {\n  a = a({ default = {} })\n}\n',
    "a.hcl:2:21+2 invalid-default",
  ],
];

for (const [name, text, ...problems] of texts) {
  test(`type mistakes: ${name}`, async () => {
    assert.deepEqual((await readTypeBlocks(text)).problems, problems);
  });
}

test("type mistakes: types that end are none", async () => {
  const { types, problems } = await readTypeBlocks(`
type "later" {
  a = node
  b = array(later)
  c = array(later({ required = false }), { min_length = 1 })
  d = later({ required = false })
  e = object({ f = later }, { required = false })
}
type "node" {
  next = node({ required = false })
}
type "two words" {
  a-b = node
}
type "any" {
  additional = true
}
`);
  assert.deepEqual(problems, []);
  assert.deepEqual([...types.keys()], ["later", "node", "two words", "any"]);
});

test("type mistakes: a type that may stand in a broken file is no mistake", async () => {
  const text =
    'type "t" {\n  a = elsewhere\n  b = array(elsewhere({ default = 1 }))\n  c = nowhere\n}\n';
  const { types, problems } = await readTypeBlocks(text, { elsewhere: ["elsewhere"] });
  assert.deepEqual(problems, ["a.hcl:4:7+7 unknown-type"]);
  assert.deepEqual([...types.get("t")?.fields ?? []], ["a", "b", "c"]);
});

test("type mistakes: no types at all", async () => {
  const { types, problems } = await readTypeBlocks("");
  assert.deepEqual([types.size, problems], [0, []]);
});
