import assert from "node:assert/strict";
import { test } from "node:test";
import { readFiles } from "../../src/hcl/mod.ts";
import { Call, itemPlaceOf } from "../../src/hcl/tree.ts";
import { covered, readTexts, valueOf } from "../support/hcl.ts";
import { placed } from "../support/problems.ts";

const world = {
  env: { NAME: "weir", EMPTY: "", PORT: "3001", ON: "true", LÄNGE: "5" },
  files: { "/conf/keys/a.pem": "KEY\n", "/etc/b": "B", "C:\\c": "C" },
};

const values: ReadonlyArray<readonly [written: string, value: unknown]> = [
  ["1", 1],
  ["-1.5e3", -1500],
  ["true", true],
  ["null", null],
  ['"a"', "a"],
  ['"a\\n\\t\\"\\\\\\u00e4\\U0001F600"', 'a\n\t"\\ä😀'],
  ['"a\\n${1}$${b}%%{c}"', "a\n1${b}%{c}"],
  ["[]", []],
  ['[1, "a", [true, null], { b = 2 }]', [1, "a", [true, null], { b: 2 }]],
  ["{}", {}],
  ['{ b = 1, a : 2, "c d" = 3, (env("NAME")) = 4, 5 = 6 }', {
    b: 1,
    a: 2,
    "c d": 3,
    weir: 4,
    5: 6,
  }],
  ["(1)", 1],
  ["3000 + 1", 3001],
  ["1 + 2 * 3 - 4 / 2 % 3", 5],
  ["-(1 + 2)", -3],
  ["(1 + \n 2)", 3],
  ['env("PORT") + 1', 3002],
  ["1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", true],
  ["!(1 == 2) || false", true],
  ['env("ON") && true', true],
  ['1 == "1"', false],
  ["1 != 2", true],
  ['[1, { a = "b" }] == [1, { a = "b" }]', true],
  ["[1] == { 0 = 1 }", false],
  ["{ a = 1 } == { a = 1, b = 2 }", false],
  ["null == null", true],
  ["true ? 1 : 2", 1],
  ['env("ON") ? "a" : env("NOT SET")', "a"],
  ['"${3000 + 1}"', 3001],
  ['"p${1}"', "p1"],
  ['"${1}${2}"', "12"],
  ['"${true} ${"a"} ${1.5} ${1e21}"', "true a 1.5 1000000000000000000000"],
  ['"ä${"😀${"é"}"}"', "ä😀é"],
  ['"%{ if 1 == 1 }y\\n${1}%{ else }n%{ endif }!"', "y\n1!"],
  ['"%{ if false }y%{ endif }"', ""],
  ['env("NAME")', "weir"],
  ['env("LÄNGE")', "5"],
  ['env("NAME", 1)', "weir"],
  ['env("NAME", env("NOT SET"))', "weir"],
  ['env("EMPTY", 3000)', 3000],
  ['env("NOT SET", ["a", { b = null }])', ["a", { b: null }]],
  ['env("NOT SET", null)', null],
  ['"amqp://${env("NAME")}:${env("PORT", 1)}"', "amqp://weir:3001"],
  ['file("keys/a.pem")', "KEY\n"],
  ['file("/etc/b")', "B"],
  ['file("C:\\\\c")', "C"],
  ['file("keys/${env("NOT SET", "a")}.pem")', "KEY\n"],
  ["[1, 2][1]", 2],
  ["{ a = [1, { b = 3 }] }.a[1].b", 3],
  ['{ a = 1 }["a"]', 1],
  ['<<E\na ${1}\n  "b\\n" $${c}\nE', 'a 1\n  "b\\n" ${c}\n'],
  ["<<E\nE", ""],
  ["<<-E\n    a ${1}\n      b\n\n \n    ${2}c\n  E", "a 1\n  b\n\n \n2c\n"],
  ["<<-E\n  ${1}\n   x\n  E", "1\n x\n"],
  ["<<-E\n     ${1} a\n   b\n   E", "  1 a\nb\n"],
  ["<<-E\n\n   a\n   E", "\na\n"],
  ["<<-E\n\ta\n\t\tb\n\tE", "a\n\tb\n"],
  ["[<<E\na\nE\n, 1]", ["a\n", 1]],
];

for (const [written, expected] of values) {
  test(`value: ${written}`, async () => {
    assert.deepEqual(await valueOf(written, world), expected);
  });
}

test("200 brackets inside each other can be read", async () => {
  const written = "[".repeat(200) + "]".repeat(200);
  assert.equal(JSON.stringify(await valueOf(written)), written);
});

test("an object's keys keep their order, and __proto__ is one of them", async () => {
  const value = await valueOf('{ z = 1, __proto__ = { a = 2 }, "constructor" = 3, a = 4 }');
  assert.ok(typeof value === "object" && value !== null);
  assert.deepEqual(Object.keys(value), ["z", "__proto__", "constructor", "a"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal("a" in Object.prototype, false);
});

test("constants use what stands before them, over all files, and are known everywhere", async () => {
  const { body, constants, problems } = await readTexts([
    'x = constants.last\ny = constants.limits["room"].size\nz = constants.list[1]\n',
    'constants {\n base = env("PORT")\n limits = { room = { size = 5 } }\n __proto__ = 1\n}\n',
    "constants {\n list = [1, constants.limits.room.size + 1]\n i = 1\n}\n",
    'constants {\n last = "${constants.base}-${constants.list[constants.i]}"\n}\n',
  ], world);
  assert.deepEqual(problems.map(placed), []);
  assert.deepEqual(body.attributes.map(({ value }) => value), ["3001-6", 5, 6]);
  assert.deepEqual(Object.entries(constants), [
    ["base", "3001"],
    ["limits", { room: { size: 5 } }],
    ["__proto__", 1],
    ["list", [1, 6]],
    ["i", 1],
    ["last", "3001-6"],
  ]);
  assert.deepEqual(body.blocks.map(({ type }) => type), ["constants", "constants", "constants"]);
});

test("a type's calls and bare words stay as written", async () => {
  const text = 'type "t" {\n a = string({ min = constants.n })\n b = number\n c = list(string)\n' +
    ' d = env("PORT", 1)\n}\nconstants { n = 2 }\n';
  const { body, problems } = await readTexts([text], world);
  assert.deepEqual(problems.map(placed), []);
  const [a, b, c, d] = body.blocks[0].body.attributes.map(({ value }) => value);
  assert.ok(a instanceof Call && b instanceof Call && c instanceof Call);
  assert.deepEqual([a.name, covered(a.span), a.arguments], ["string", "string", [{ min: 2 }]]);
  assert.deepEqual([b.name, covered(b.span), b.arguments], ["number", "number", []]);
  const [inner] = c.arguments;
  assert.ok(inner instanceof Call);
  assert.equal(inner.name, "string");
  assert.equal(d, "3001");
});

test("the environment is asked only for what is needed", async () => {
  const asked: string[] = [];
  const text = 'a = env("A", env("B"))\nb = false ? env("C") : env("D")\n';
  await readFiles([{ path: "a.hcl", text, folder: "" }], {
    env: (name) => {
      asked.push(name);
      return "set";
    },
    readFile: () => "",
  });
  assert.deepEqual(asked, ["A", "D"]);
});

test("the items of lists and the fields of objects keep their places", async () => {
  const written = '{ id = "input.id", "é" = ["a", ("b")], n = { deep = "x\\n" }, env = env("E") }';
  const { body } = await readTexts([`x = ${written}\n`], { env: { E: "set" } });
  const value = body.attributes[0].value as Record<string, object>;
  assert.deepEqual(value, { id: "input.id", "é": ["a", "b"], n: { deep: "x\n" }, env: "set" });
  const placeOf = (collection: object, name: string): unknown => {
    const place = itemPlaceOf(collection, name);
    return place && [covered(place.valueSpan), place.verbatim];
  };
  assert.deepEqual(placeOf(value, "id"), ['"input.id"', true]);
  assert.deepEqual(placeOf(value, "é"), ['["a", ("b")]', false]);
  assert.deepEqual(placeOf(value["é"], "0"), ['"a"', true]);
  assert.deepEqual(placeOf(value["é"], "1"), ['"b"', true]);
  assert.deepEqual(placeOf(value.n, "deep"), ['"x\\n"', false]);
  assert.deepEqual(placeOf(value, "env"), ['env("E")', false]);
  assert.equal(placeOf(value, "missing"), undefined);
  assert.equal(placeOf({ id: "input.id" }, "id"), undefined);
});
