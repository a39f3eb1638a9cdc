/** Whole values: fields, defaults, references, every problem at once, and what hostile data does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { seeded } from "../support/random.ts";
import { fieldOf, readTypeBlocks, typeOf, violations } from "./type-support.ts";

const ORDER = `
type "t" {
  id    = id
  email = string({ format = "email" })
  tags  = array(string({ max_length = 5 }), { max_length = 3 })
  lines = array(line)
  to    = address
  note  = string({ required = false })
}
type "line" {
  sku   = string
  count = number({ min = 1 })
}
type "address" {
  additional = true
  street     = string
}
`;

const GOOD = {
  id: 7,
  email: "ada@example.com",
  tags: ["a"],
  lines: [{ sku: "x", count: 1 }],
  to: { street: "Main", city: "London" },
};

test("type values: a good value comes back as it is", async () => {
  const type = await typeOf(ORDER);
  assert.equal(type.name, "t");
  assert.deepEqual([...type.fields], ["id", "email", "tags", "lines", "to", "note"]);
  assert.equal(type.additional, false);
  for (const value of [GOOD, { ...GOOD, note: null }, { ...GOOD, note: "x" }]) {
    const checked = type.check(value);
    assert.ok("value" in checked);
    assert.equal(checked.value, value);
  }
});

test("type values: every problem is told at once, with its place", async () => {
  const value = {
    email: "ada",
    tags: ["a", "too long", 3],
    lines: [{ sku: "x", count: 0 }, null, { count: "1", skus: "x" }],
    to: {},
    note: 1,
    nite: "",
    "first name": "Ada",
  };
  assert.deepEqual((await typeOf(ORDER)).check(value), {
    violations: [
      { path: "id", message: "is missing" },
      { path: "email", message: "must be an email address" },
      { path: "tags[1]", message: "must have at most 5 characters" },
      { path: "tags[2]", message: "must be a string" },
      { path: "lines[0].count", message: "must be at least 1" },
      { path: "lines[1]", message: "is missing" },
      { path: "lines[2].sku", message: "is missing" },
      { path: "lines[2].count", message: "must be a number" },
      { path: "lines[2].skus", message: 'unknown field, did you mean "sku"?' },
      { path: "to.street", message: "is missing" },
      { path: "note", message: "must be a string" },
      { path: "nite", message: 'unknown field, did you mean "note"?' },
      { path: '["first name"]', message: "unknown field" },
    ],
  });
});

test("type values: what is no object is refused as a whole", async () => {
  const type = await typeOf(ORDER);
  for (const value of [null, undefined, 1, "x", true, [], [GOOD]]) {
    assert.deepEqual(violations(type, value), [": must be an object"]);
  }
});

test("type values: additional fields go through, and none of them has an effect", async () => {
  const type = await typeOf('type "t" {\n  additional = true\n  a = string\n}\n');
  assert.equal(type.additional, true);
  assert.deepEqual([...type.fields], ["a"]);
  const value = JSON.parse('{ "a": "1", "b": 2, "__proto__": { "a": 1 }, "constructor": null }');
  const checked = type.check(value);
  assert.ok("value" in checked);
  assert.equal(checked.value, value);
  const open = await typeOf('type "t" {\n  additional = true\n}\n');
  assert.deepEqual(violations(open, { any: [1] }), []);
  assert.deepEqual(violations(open, []), [": must be an object"]);
});

test("type values: a field can be called additional", async () => {
  const type = await typeOf('type "t" {\n  additional = boolean\n}\n');
  assert.deepEqual([...type.fields], ["additional"]);
  assert.equal(type.additional, false);
  assert.deepEqual(violations(type, { additional: 1 }), ["additional: must be true or false"]);
});

test("type values: defaults fill what is absent or null, in a copy", async () => {
  const type = await typeOf(`type "t" {
  n    = number({ default = 5 })
  s    = string({ default = "" })
  b    = boolean({ default = false, required = true })
  tags = array(string({ default = "none" }), { default = ["a"] })
  o    = object({ default = { k = 1 } })
  deep = object({ x = number({ default = 0 }) }, { required = false })
  free = string({ required = false })
}
`);
  const filled = { n: 5, s: "", b: false, tags: ["a"], o: { k: 1 } };
  const empty = {};
  assert.deepEqual(type.check(empty), { value: filled });
  assert.deepEqual(empty, {});
  const nulls = { n: null, tags: [null, "b", null], o: null, deep: { x: null }, free: null };
  assert.deepEqual(type.check(nulls), {
    value: { ...filled, tags: ["none", "b", "none"], deep: { x: 0 }, free: null },
  });
  assert.deepEqual(nulls.tags, [null, "b", null]);
  assert.deepEqual(nulls.deep, { x: null });
  const full = { ...filled, deep: { x: 1 } };
  const checked = type.check(full);
  assert.ok("value" in checked);
  assert.equal(checked.value, full);
});

test("type values: what is filled in belongs to the value alone", async () => {
  const type = await fieldOf('array(string, { default = ["a"] })');
  for (let i = 0; i < 2; i++) {
    const checked = type.check({});
    assert.ok("value" in checked);
    const { x } = checked.value as { x: string[] };
    assert.deepEqual(x, ["a"]);
    x.push("b");
  }
});

test("type values: a default is completed by the defaults inside it, wherever they stand", async () => {
  const type = await typeOf(`
type "t" {
  a = outer({ default = {} })
}
type "outer" {
  b = inner({ default = {} })
}
type "inner" {
  n = number({ default = 1 })
}
`);
  assert.deepEqual(type.check({}), { value: { a: { b: { n: 1 } } } });
  assert.deepEqual(type.check({ a: {} }), { value: { a: { b: { n: 1 } } } });
});

test("type values: numbers and booleans of options may come from the environment", async () => {
  const env = { MAX: "3", LEVEL: "2", ON: "true", NEED: "false", OPEN: "true" };
  const type = await typeOf(
    `type "t" {
  additional = env("OPEN")
  s = string({ max_length = env("MAX"), required = env("NEED") })
  n = number({ max = env("MAX"), default = env("LEVEL") })
  b = boolean({ default = env("ON") })
}
`,
    { env },
  );
  assert.deepEqual(type.check({ other: 1 }), { value: { other: 1, n: 2, b: true } });
  assert.deepEqual(violations(type, { s: "abcd", n: 4 }), [
    "s: must have at most 3 characters",
    "n: must be at most 3",
  ]);
});

test("type values: constants stand for options and lists", async () => {
  const text = `constants {
  roles = ["staff", "guest"]
}
type "t" {
  role = string({ enum = constants.roles, default = constants.roles[1] })
}
`;
  const { types, problems } = await readTypeBlocks(text);
  assert.deepEqual(problems, []);
  assert.deepEqual(types.get("t")?.check({}), { value: { role: "guest" } });
});

test("type values: a tree of nodes, down to the depth that JSON may have", async () => {
  const type = await typeOf(`type "t" {
  value    = number
  children = array(t, { required = false })
  parent   = t({ required = false })
}
`);
  let good: unknown = { value: 0 };
  let bad: unknown = { value: "x" };
  for (let depth = 0; depth < 62; depth += 2) {
    good = { value: depth, children: [good], parent: { value: 1 } };
    bad = { value: depth, children: [bad], parent: null };
  }
  assert.deepEqual(violations(type, good), []);
  const path = `${"children[0].".repeat(31)}value`;
  assert.deepEqual(violations(type, bad), [`${path}: must be a number`]);
});

test("type values: names that every object inherits are fields like any other", async () => {
  const names = ["constructor", "toString", "hasOwnProperty", "__proto__", "valueOf"];
  const strict = await typeOf('type "t" {\n  a = string({ required = false })\n}\n');
  for (const name of names) {
    const value = JSON.parse(`{ ${JSON.stringify(name)}: "x" }`);
    assert.deepEqual(violations(strict, value), [`${name}: unknown field`]);
  }
  const declared = await typeOf(
    `type "t" {\n${names.map((name) => `  ${name} = string`).join("\n")}\n}\n`,
  );
  assert.deepEqual(violations(declared, {}), names.map((name) => `${name}: is missing`));
  const json = `{ ${names.map((name) => `${JSON.stringify(name)}: "x"`).join(", ")} }`;
  assert.deepEqual(violations(declared, JSON.parse(json)), []);
  const filled = await typeOf(
    'type "t" {\n  additional = true\n  __proto__ = object({ default = { a = 1 } })\n  b = string({ default = "b" })\n}\n',
  );
  const checked = filled.check({ c: 1 });
  assert.ok("value" in checked);
  assert.equal(JSON.stringify(checked.value), '{"c":1,"__proto__":{"a":1},"b":"b"}');
  assert.equal(Object.getPrototypeOf(checked.value), Object.prototype);
  const kept = filled.check(JSON.parse('{ "__proto__": { "a": 2 }, "constructor": 3 }'));
  assert.ok("value" in kept);
  assert.equal(JSON.stringify(kept.value), '{"__proto__":{"a":2},"constructor":3,"b":"b"}');
});

test("type values: at most 100 violations of however hostile a value are told", async () => {
  const rows = await fieldOf("array(object({ a = string, b = string }), { required = false })");
  const many = (length: number, item: unknown) => Array.from({ length }, () => item);
  assert.equal(violations(rows, { x: many(300_000, {}) }).length, 100);
  assert.equal(violations(rows, { x: many(300_000, 1) }).length, 100);
  assert.equal(violations(rows, { x: many(99, 1), y: 1, z: 1, u: 1 }).length, 100);
  const unknown = Object.fromEntries(many(200_000, 0).map((_, i) => [`x${i}`, i]));
  const told = violations(rows, unknown);
  assert.equal(told.length, 100);
  assert.equal(told[0], 'x0: unknown field, did you mean "x"?');
  const grid = await fieldOf("array(array(number))");
  assert.equal(violations(grid, { x: many(1000, many(1000, "a")) }).length, 100);
  assert.deepEqual(violations(grid, { x: many(1000, many(1000, 1)) }), []);
  const long = { ["x".repeat(500_000)]: 1 };
  assert.deepEqual(violations(rows, long), [`["${"x".repeat(100)}…"]: unknown field`]);
});

test("type values: the items of an array that is too long are not looked at", async () => {
  const type = await fieldOf("array(number, { max_length = 3 })");
  assert.deepEqual(violations(type, { x: Array(100_000).fill("a") }), [
    "x: must have at most 3 items",
  ]);
});

test("type values: halves of characters and deep objects are no trouble", async () => {
  const type = await typeOf(`type "t" {
  additional = true
  s = string({ required = false, pattern = "^.$", min_length = 1 })
  o = object({ required = false })
}
`);
  const half = "s: must not have half of a surrogate pair";
  assert.deepEqual(violations(type, { s: "\ud800", "\udc00": "\ud800", "\0": "\0" }), [half]);
  assert.deepEqual(violations(type, { s: "\ud800\ud800" }), [
    half,
    "s: must match the pattern ^.$",
  ]);
  const deep = JSON.parse(`${'{"a":['.repeat(31)}1${"]}".repeat(31)}`);
  assert.deepEqual(violations(type, { o: deep }), []);
});

test("type values: a pattern takes time that grows with the text alone", async () => {
  const type = await fieldOf('string({ pattern = "^(a+)+$" })');
  // A backtracking engine would need 2 to the power of 5000 steps.
  assert.deepEqual(violations(type, { x: `${"a".repeat(5000)}!` }), [
    "x: must match the pattern ^(a+)+$",
  ]);
});

test("type values: what a host sets for valibot changes nothing", async () => {
  const type = await typeOf(ORDER);
  const told = violations(type, { to: { street: 1 }, tags: ["too long", 2] });
  v.setGlobalConfig({ abortEarly: true, abortPipeEarly: true });
  try {
    assert.deepEqual(violations(type, { to: { street: 1 }, tags: ["too long", 2] }), told);
  } finally {
    v.deleteGlobalConfig();
  }
  assert.equal(told.length, 6);
});

test("type values: a pattern takes no more steps than a value has, and says so", async () => {
  const type = await typeOf(
    `type "t" { texts = array(string({ pattern = "(?:.{0,30}a){10}$" })) }`,
  );
  const random = seeded(1);
  const noise = Array.from({ length: 100_000 }, () => random.below(2) === 0 ? "a" : "b").join("");
  const [first] = violations(type, { texts: [noise + "c", "aaaaaaaaaa"] });
  assert.equal(
    first,
    "texts[0]: takes too long to compare with the pattern (?:.{0,30}a){10}$",
  );
  // The next value has steps again.
  assert.deepEqual(violations(type, { texts: ["aaaaaaaaaa"] }), []);
});

test("type values: a pattern that is too large is a problem of the configuration, and does not hold it up", async () => {
  const { problems } = await readTypeBlocks(
    `type "t" { a = string({ pattern = "${"(?:\\\\pL{1000})".repeat(1_000)}" }) }`,
  );
  assert.equal(problems.length, 1);
  assert.match(problems[0], / invalid-value$/);
});
