/** Strings that a type trims and puts in lower case, and properties of all that a type changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fieldOf, typeOf, violations } from "./type-support.ts";

/** The field `x` after the check of a good value. */
async function changed(written: string, x: unknown): Promise<unknown> {
  const type = await fieldOf(written);
  const checked = type.check({ x });
  assert.ok("value" in checked, violations(type, { x }).join());
  return (checked.value as { readonly x: unknown }).x;
}

test("type changes: trim removes the white space of the function trim(), lower all capitals", async () => {
  assert.equal(await changed("string({ trim = true })", " \t\u0085 A b\u3000\n"), "A b");
  assert.equal(await changed("string({ trim = true })", "\ufeffA"), "\ufeffA");
  assert.equal(await changed("string({ lower = true })", " ÀΣ İ "), " àς i\u0307 ");
  assert.equal(await changed("string({ trim = true, lower = true })", " À "), "à");
  assert.equal(await changed("string({ trim = false, lower = false })", " À "), " À ");
});

test("type changes: what is checked is the changed text", async () => {
  const email = 'string({ trim = true, lower = true, format = "email" })';
  assert.equal(await changed(email, " Ada@Example.com\n"), "ada@example.com");
  assert.equal(await changed('string({ lower = true, pattern = "^[a-z]+$" })', "ABC"), "abc");
  assert.equal(await changed('string({ trim = true, enum = ["a", "b"] })', " b "), "b");
  const short = await fieldOf("string({ trim = true, min_length = 1, max_length = 2 })");
  assert.deepEqual(violations(short, { x: "   " }), ["x: must have at least 1 character"]);
  assert.deepEqual(violations(short, { x: "  ab  " }), []);
  assert.deepEqual(violations(short, { x: " a b " }), ["x: must have at most 2 characters"]);
  assert.deepEqual(violations(short, { x: 5 }), ["x: must be a string"]);
});

test("type changes: only what changes is copied, at any depth", async () => {
  const type = await typeOf(`
    type "t" {
      name  = string({ trim = true })
      tags  = array(string({ lower = true }), { required = false })
      child = t({ required = false })
      other = object({ __proto__ = string({ trim = true }) }, { required = false })
    }
  `);
  const clean = { name: "a", tags: ["b"], child: { name: "c" } };
  assert.deepEqual(type.check(clean), { value: clean });
  const checked = type.check(clean);
  assert.ok("value" in checked && checked.value === clean);

  const sent = JSON.parse(
    '{"name":"a","tags":["B","c"],"child":{"name":" d"},"other":{"__proto__":" e "}}',
  );
  const before = JSON.stringify(sent);
  const result = type.check(sent);
  assert.ok("value" in result);
  assert.equal(
    JSON.stringify(result.value),
    '{"name":"a","tags":["b","c"],"child":{"name":"d"},"other":{"__proto__":"e"}}',
  );
  assert.equal(JSON.stringify(sent), before);
});

test("type changes: a default goes through its type like any value, once", async () => {
  const type = await typeOf(`
    type "t" {
      x    = string({ default = " A ", trim = true, lower = true })
      item = other({ default = {} })
      list = array(string({ trim = true }), { default = [" b "] })
    }
    type "other" {
      y = string({ default = "C", lower = true })
    }
  `);
  const value = { x: "a", item: { y: "c" }, list: ["b"] };
  assert.deepEqual(type.check({}), { value });
});

test("type changes: half a megabyte is changed within the budget, no more than the budget at all", async () => {
  const type = await fieldOf("array(string({ trim = true, lower = true }))");
  const long = " ".repeat(250_000) + "A".repeat(250_000);
  const checked = type.check({ x: [long] });
  assert.ok("value" in checked);
  assert.deepEqual(checked.value, { x: ["a".repeat(250_000)] });
  const found = violations(type, { x: Array(40).fill(long) });
  assert.ok(found.length > 0 && found.length < 40);
  assert.ok(
    found.every((text) => text.endsWith(": takes too long to trim and to lower")),
    found[0],
  );
  assert.deepEqual(violations(type, { x: [long] }), []);
});

/** A type with everything that changes a value, unions apart. */
const CHANGING = `
  type "t" {
    name = string({ trim = true, lower = true, default = " None " })
    note = string({ trim = true, required = false, max_length = 20 })
    size = number({ default = 1 })
    flag = boolean({ required = false })
    rows = array(t, { default = [{ name = "A", rows = [] }], max_length = 3 })
    next = t({ required = false })
  }
`;

/** Texts with much white space and many capitals. */
const text = fc.oneof(fc.string(), fc.stringMatching(/^[ \t\u0085\u3000AbÄΣİ]{0,8}$/));

/** Values that fit; where all is text, numbers and flags are texts too. */
function values(isText: boolean): fc.Arbitrary<Record<string, unknown>> {
  const number = isText ? fc.oneof(fc.integer(), fc.integer().map(String)) : fc.integer();
  const flag = fc.constantFrom(true, false, null, ...(isText ? ["true", "false"] : []));
  return fc.letrec<{ value: Record<string, unknown> }>((tie) => ({
    value: fc.record({
      name: text,
      note: text,
      size: number,
      flag,
      rows: fc.array(tie("value"), { maxLength: 2, depthIdentifier: "value" }),
      next: fc.option(tie("value"), { depthIdentifier: "value", maxDepth: 3 }),
    }, { requiredKeys: [], noNullPrototype: true }),
  })).value;
}

test("type changes: the check of a checked value changes nothing", async () => {
  const type = await typeOf(CHANGING);
  for (const isText of [true, false]) {
    fc.assert(fc.property(values(isText), (value) => {
      const before = structuredClone(value);
      const checked = type.check(value, isText ? new Set(Object.keys(value)) : undefined);
      assert.deepEqual(value, before);
      assert.ok("value" in checked);
      const again = type.check(checked.value);
      assert.ok("value" in again && again.value === checked.value);
    }));
  }
});
