/** Mistakes in unions: what is said of each, and where. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readTypeBlocks } from "./type-support.ts";

const TYPES = `type "circle" { kind = string({ enum = ["circle"] }) }
type "square" { kind = string({ enum = ["square"] }) }
type "disc" { kind = string({ enum = ["disc", "circle"] }) }
type "both" { one_of = [circle, square] }
type "plain" { name = string }
type "loose" { kind = string }
type "number2" { kind = number({ enum = [2] }) }
type "optional" { kind = string({ enum = ["o"], required = false }) }
type "filled" { kind = string({ enum = ["f"], default = "f" }) }
type "lowered" { kind = string({ enum = ["l"], lower = true }) }
type "started" { event = string({ enum = ["started"] }) }
type "ended" { event = string({ enum = ["ended"] }) }
`;

/** The type of the field `x`, which stands at line 2, column 7, and its problems without the file. */
const fields: ReadonlyArray<readonly [written: string, ...problems: string[]]> = [
  ["one_of(circle, square)"],
  ["one_of(circle)"],
  ['one_of(started, ended, { by = "event" })'],
  // What is no name of a type.
  ["one_of", "7+6 invalid-type"],
  ["one_of()", "7+6 invalid-type"],
  ["one_of({ required = false })", "7+6 invalid-type"],
  ['one_of("circle", square)', "7+6 invalid-type"],
  ["one_of([circle, square])", "7+6 invalid-type"],
  ["one_of(string, number)", "14+6 invalid-union", "22+6 invalid-union"],
  ["one_of(circle, object({ a = string }))", "22+6 invalid-union"],
  ["one_of(circle, one_of(square))", "22+6 invalid-union"],
  ["one_of(circle, squar)", "22+5 unknown-type"],
  ["one_of(circle({ required = false }), square)", "14+6 wrong-arguments"],
  ["union(circle, square)", "7+5 unknown-type"],
  // Types that cannot be told apart.
  ["one_of(circle, disc)", "22+4 invalid-union"],
  ["one_of(circle, circle)", "22+6 invalid-union"],
  ["one_of(circle, both)", "22+4 invalid-union"],
  ["one_of(circle, plain)", "22+5 invalid-union"],
  ["one_of(circle, loose)", "22+5 invalid-union"],
  ["one_of(circle, number2)", "22+7 invalid-union"],
  ["one_of(circle, optional)", "22+8 invalid-union"],
  ["one_of(circle, filled)", "22+6 invalid-union"],
  ["one_of(circle, lowered)", "22+7 invalid-union"],
  ["one_of(started, ended)", "14+7 invalid-union", "23+5 invalid-union"],
  ['one_of(circle, square, { by = "type" })', "14+6 invalid-union", "22+6 invalid-union"],
  // Options.
  ["one_of(circle, square, { by = kind })", "37+4 invalid-value"],
  ['one_of(circle, square, { by = "" })', "37+2 invalid-value"],
  ["one_of(circle, square, { by = 1 })", "37+1 invalid-value"],
  ["one_of(circle, square, { additional = true })", "32+10 unknown-option"],
  ['one_of(circle, square, { default = { kind = "x" } })', "42+14 invalid-default"],
  ["one_of({ required = false }, circle)", "7+6 invalid-type"],
];

for (const [written, ...problems] of fields) {
  test(`type union mistakes: x = ${written}`, async () => {
    const read = await readTypeBlocks(`type "t" {\n  x = ${written}\n}\n${TYPES}`);
    assert.deepEqual(read.problems, problems.map((problem) => `a.hcl:2:${problem}`));
  });
}

/** Whole types that are unions. */
const types: ReadonlyArray<readonly [name: string, body: string, ...problems: string[]]> = [
  ["a good one", "one_of = [circle, square]"],
  ["a good one by another field", 'by = "event"\none_of = [started, ended]'],
  ["no list", 'one_of = "circle"', "2:10+8 invalid-type"],
  ["no types", "one_of = []", "2:10+2 invalid-type"],
  ["names in quotes", 'one_of = ["circle", square]', "2:11+8 invalid-type"],
  ["kinds", "one_of = [circle, string]", "2:19+6 invalid-union"],
  ["an unknown type", "one_of = [circle, squar]", "2:19+5 unknown-type"],
  ["itself", "one_of = [circle, t]", "2:19+1 invalid-union"],
  ["the same kind twice", "one_of = [circle, disc]", "2:19+4 invalid-union"],
  ["a type without a kind", "one_of = [circle, plain]", "2:19+5 invalid-union"],
  ["a field of its own", "one_of = [circle, square]\nname = string", "3:1+4 invalid-union"],
  ["a field called by", "one_of = [circle, square]\nby = string", "3:1+2 invalid-union"],
  ["a by without quotes", "one_of = [circle, square]\nby = type", "3:1+2 invalid-union"],
  ["additional fields", "additional = true\none_of = [circle, square]", "2:1+10 invalid-union"],
  ["a by that is no text", "one_of = [circle, square]\nby = 1", "3:6+1 invalid-value"],
  ["by without one_of", 'by = "kind"', "2:6+6 invalid-type"],
  ["a value that cannot be evaluated", 'one_of = env("NOWHERE")', "2:10+14 env-not-set"],
];

for (const [name, body, ...problems] of types) {
  test(`type union mistakes: ${name}`, async () => {
    const read = await readTypeBlocks(`type "t" {\n${body}\n}\n${TYPES}`);
    assert.deepEqual(read.problems, problems.map((problem) => `a.hcl:${problem}`));
  });
}

test("type union mistakes: a union is endless if each of its types is", async () => {
  const kind = (name: string) => `kind = string({ enum = ["${name}"] })`;
  const tree = (leaf: string) => `
type "t" {
  one_of = [leaf, branch]
}
type "leaf" {
  ${kind("leaf")}
  ${leaf}
}
type "branch" {
  ${kind("branch")}
  left = t
  next = one_of(branch, leaf)
}
`;
  assert.deepEqual((await readTypeBlocks(tree(""))).problems, []);
  assert.deepEqual((await readTypeBlocks(tree("up = t"))).problems, [
    "a.hcl:3:12+14 endless-type",
  ]);
  assert.deepEqual(
    (await readTypeBlocks(`type "a" {\n${kind("a")}\nb = one_of(a)\n}\n`)).problems,
    ["a.hcl:3:5+6 endless-type"],
  );
});

test("type union mistakes: a mistake in a kind, and a type in a broken file, are reported once", async () => {
  const text = 'type "t" {\n  x = one_of(a, elsewhere)\n  y = one_of(elsewhere)\n}\n' +
    'type "a" {\n  kind = strin\n}\n';
  const { types, problems } = await readTypeBlocks(text, { elsewhere: ["elsewhere"] });
  assert.deepEqual(problems, ["a.hcl:6:10+5 unknown-type"]);
  assert.deepEqual(types.get("t")?.check({ x: 1, y: 2 }), { value: { x: 1, y: 2 } });
});
