/** Text becomes numbers and booleans where its source has nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DataType } from "../../src/type/mod.ts";
import { fieldOf, typeOf } from "./type-support.ts";

/** The field `x` of a value whose `x` is text, or the messages of its violations. */
function converted(type: DataType, x: unknown): unknown {
  const checked = type.check({ x }, new Set(["x"]));
  if ("violations" in checked) {
    return checked.violations.map(({ path, message }) => `${path}: ${message}`);
  }
  return (checked.value as { readonly x: unknown }).x;
}

test("type text: a number is what JSON writes, and never another one", async () => {
  const type = await fieldOf("number");
  const good = { "12": 12, "-1.5": -1.5, "1e3": 1000, "0": 0, "2E-2": 0.02, "-0.25": -0.25 };
  for (const [text, number] of Object.entries(good)) assert.equal(converted(type, text), number);
  assert.equal(converted(type, "9007199254740991"), Number.MAX_SAFE_INTEGER);
  const bad = [
    ...["", " ", " 1", "1 ", "+1", "01", "1.", ".5", "1,5", "0x10", "0b1", "1_000", "1e", "--1"],
    ...["NaN", "Infinity", "-Infinity", "1e999", "true", "null", "١", "9007199254740993"],
    ...["1".repeat(500), "0." + "1".repeat(500_000)],
  ];
  for (const text of bad) assert.deepEqual(converted(type, text), ["x: must be a number"], text);
});

test("type text: an integer is digits alone, and is exact", async () => {
  const type = await fieldOf("integer");
  const texts = fc.oneof(
    fc.maxSafeInteger().map(String),
    fc.stringMatching(/^[-+]?[0-9.e]{1,20}$/),
  );
  fc.assert(fc.property(texts, (text) => {
    const number = Number(text);
    const isExact = /^-?[0-9]+$/.test(text) && String(number) === text;
    if (isExact && Number.isSafeInteger(number)) assert.equal(converted(type, text), number);
    else assert.ok(Array.isArray(converted(type, text)), text);
  }));
  for (const text of ["5.0", "1e3", "+1", "01", "-0", "-", "", " 1", "0x10", "9".repeat(500)]) {
    assert.deepEqual(converted(type, text), ["x: must be a whole number"], text);
  }
  assert.deepEqual(converted(type, "9007199254740992"), [
    "x: must be from -9007199254740991 to 9007199254740991",
  ]);
  assert.deepEqual(converted(await fieldOf("array(integer)"), ["1", "-2"]), [1, -2]);
});

test("type text: a boolean is true or false", async () => {
  const type = await fieldOf("boolean");
  assert.equal(converted(type, "true"), true);
  assert.equal(converted(type, "false"), false);
  for (const text of ["", "1", "0", "TRUE", "yes", "on", " true"]) {
    assert.deepEqual(converted(type, text), ["x: must be true or false"], text);
  }
});

test("type text: other kinds keep their text", async () => {
  for (const kind of ["string", "id", 'string({ enum = ["12"] })']) {
    assert.equal(converted(await fieldOf(kind), "12"), "12");
  }
  assert.deepEqual(converted(await fieldOf("object"), "12"), ["x: must be an object"]);
  assert.deepEqual(converted(await fieldOf("object({ n = number })"), "12"), [
    "x: must be an object",
  ]);
});

test("type text: the options of a number see the number", async () => {
  const type = await fieldOf("number({ enum = [1, 2, 30], max = 20, default = 2 })");
  assert.equal(converted(type, "1"), 1);
  assert.equal(converted(type, undefined), 2);
  assert.deepEqual(converted(type, "3"), ["x: must be one of 1, 2, 30"]);
  assert.deepEqual(converted(type, "30"), ["x: must be at most 20"]);
  assert.deepEqual(converted(type, ["1", "2"]), ["x: must be a number"]);
});

test("type text: a parameter is a list of one, a repeated one of several", async () => {
  const numbers = await fieldOf("array(number, { max_length = 2 })");
  assert.deepEqual(converted(numbers, "1"), [1]);
  assert.deepEqual(converted(numbers, ["1", "2"]), [1, 2]);
  assert.deepEqual(converted(numbers, ["1", "b"]), ["x[1]: must be a number"]);
  assert.deepEqual(converted(numbers, ["1", "2", "3"]), ["x: must have at most 2 items"]);
  assert.deepEqual(converted(await fieldOf("array(string)"), "1"), ["1"]);
  const texts = ["a", "b"];
  assert.equal(converted(await fieldOf("array(string)"), texts), texts);
});

test("type text: what a source nests converts to its leaves, in types by name too", async () => {
  const type = await typeOf(`
    type "t" {
      x = node
    }
    type "node" {
      n        = number({ required = false })
      on       = object({ yes = boolean }, { required = false, additional = true })
      children = array(node, { required = false })
    }
  `);
  const sent = { n: "1", children: [{ n: "2", on: { yes: "true", n: "3" } }, { children: {} }] };
  assert.deepEqual(converted(type, sent), ["x.children[1].children: must be an array"]);
  sent.children.pop();
  const before = structuredClone(sent);
  assert.deepEqual(converted(type, sent), {
    n: 1,
    children: [{ n: 2, on: { yes: true, n: "3" } }],
  });
  assert.deepEqual(sent, before);
});

test("type text: only the fields that are text convert, each under its own name", async () => {
  const type = await typeOf(
    'type "t" {\n  a = number\n  b = number\n  __proto__ = number\n  constructor = boolean\n}\n',
  );
  const value = JSON.parse('{"a":"1","b":"2","__proto__":"3","constructor":"true","other":"4"}');
  const names = new Set(["a", "__proto__", "constructor", "toString", "other"]);
  assert.deepEqual(type.check(value, names), {
    violations: [
      { path: "b", message: "must be a number" },
      { path: "other", message: "unknown field" },
    ],
  });
  delete value.other;
  value.b = 2;
  const checked = type.check(value, names);
  assert.ok("value" in checked);
  assert.equal(JSON.stringify(checked.value), '{"a":1,"b":2,"__proto__":3,"constructor":true}');
  assert.equal(Object.getPrototypeOf(checked.value), Object.prototype);
  assert.deepEqual(type.check([1], names), {
    violations: [{ path: "", message: "must be an object" }],
  });
});

test("type text: what is not text is checked as ever", async () => {
  const type = await typeOf('type "t" {\n  n = number\n}\n');
  const value = { n: 1 };
  const checked = type.check(value, new Set(["n"]));
  assert.ok("value" in checked && checked.value === value);
});

test("type text: every number that JSON writes comes back", async () => {
  const type = await fieldOf("number");
  fc.assert(fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (number) => {
    const text = JSON.stringify(number);
    if (/^-?\d+$/.test(text) && !Number.isSafeInteger(number)) return;
    assert.equal(converted(type, text), JSON.parse(text));
  }));
});

test("type text: any text is a number that JSON reads the same, or is refused", async () => {
  const type = await fieldOf("number");
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.eE]{1,12}$/));
  fc.assert(fc.property(texts, (text) => {
    const result = converted(type, text);
    if (typeof result === "number") assert.equal(result, JSON.parse(text));
    else assert.deepEqual(result, ["x: must be a number"]);
  }));
});
