/** What an expression can result in: nothing else comes out of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KnownValue, ValueKind } from "../../src/base/known-value.ts";
import { functionsIn } from "../../src/expression/functions.ts";
import { MACROS } from "../../src/expression/macros.ts";
import { compileExpression, resultsOf } from "../../src/expression/mod.ts";

const INPUT: Readonly<Record<string, unknown>> = {
  whole: 12,
  half: 1.5,
  long: "9007199254740993",
  text: "a b",
  yes: true,
  nothing: null,
  list: [3, 1, 1],
  words: ["b", "a"],
  maps: [{ a: 1 }, { a: 2 }],
  map: { a: 1, b: "x" },
  time: "2026-01-31T12:00:00Z",
};

const KINDS: Readonly<Record<string, ValueKind>> = {
  whole: "integer",
  half: "number",
  long: "text",
  text: "text",
  yes: "boolean",
  nothing: "null",
  list: "list",
  words: "list",
  maps: "list",
  map: "object",
  time: "time",
};

const known = (path: string): readonly KnownValue[] | undefined => {
  const kind = KINDS[path.replace("input.", "")];
  return kind === undefined ? undefined : [{ kind }];
};

/** Whether a value is of a kind, as plain data. */
const IS: Readonly<Record<ValueKind, (value: unknown) => boolean>> = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === "number",
  long: (value) => typeof value === "string" && /^-?\d{16,20}$/.test(value),
  text: (value) => typeof value === "string",
  list: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  email: () => false,
  url: () => false,
  uuid: (value) => typeof value === "string" && /^[\da-f-]{36}$/.test(value),
  ip: () => false,
  date: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value),
  time: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT.*Z$/.test(value),
};

const fits = (value: unknown, one: KnownValue) =>
  "kind" in one ? IS[one.kind](value) : Object.is(value, one.value);

/** The value of an expression and what is known of it; undefined where it fails. */
function outcome(text: string) {
  try {
    const expression = compileExpression(text, ["input"]);
    const results = resultsOf(expression, known);
    return { value: expression.evaluate({ input: INPUT }), results };
  } catch (error) {
    if ((error as Error).name !== "ExpressionError") throw error;
    return undefined;
  }
}

const OPERANDS = [
  ...Object.keys(INPUT).map((name) => `input.${name}`),
  ...["0", "2", "1.5", "7u", "'a'", "'1h'", "null", "true", "[]", "[1, 2]", "{'a': 1}", "b'ab'"],
  ...["now()", "duration('1h')", "timestamp('2026-01-31T12:00:00Z')", "9223372036854775807"],
];

const NAMES = [...functionsIn({}).keys()];

/** Every operator and function with every pair of operands. */
function* texts(): Generator<string> {
  for (const a of OPERANDS) {
    yield* [
      a,
      `-${a}`,
      `!${a}`,
      `input.yes ? ${a} : 'z'`,
      `input.whole > 1 ? 1 : ${a}`,
      `(${a}).b`,
    ];
    for (const name of NAMES) yield `${name}(${a})`;
    for (const macro of MACROS.keys()) {
      const [name, count] = macro.split("/");
      yield `${a}.${name}(${["x", ...["x", "x", "x"].slice(0, Number(count) - 1)].join(", ")})`;
      yield `${a}.${name}(${
        ["x", ...["true", "true", "x"].slice(0, Number(count) - 1)].join(", ")
      })`;
    }
    for (const b of ["0", "'a'", "[1, 2]", "{'a': 1}", "null", "1.5"]) {
      for (const name of NAMES) yield `${name}(${a}, ${b})`;
    }
    for (const b of OPERANDS) {
      for (const operator of ["+", "-", "*", "/", "%", "==", "<", "in", "&&"]) {
        yield `${a} ${operator} ${b}`;
      }
    }
  }
  for (const list of ["input.text", "input.list", "input.words", "input.maps", "'a,b'"]) {
    for (const name of NAMES) {
      for (const more of ["0, 1", "'a', 'b'", "'a', 1", "1, 'a'"]) {
        yield `${name}(${list}, ${more})`;
      }
    }
  }
}

test("an expression results in nothing but what is known of it", () => {
  let [compared, unknown] = [0, 0];
  const functions = new Set<string>();
  const wrong: string[] = [];
  for (const text of texts()) {
    const found = outcome(text);
    if (found === undefined) continue;
    const { value, results } = found;
    if (results === undefined) {
      unknown++;
      continue;
    }
    compared++;
    const [, name] = /^([\w.]+)\(/.exec(text) ?? [];
    if (name !== undefined) functions.add(name);
    if (!results.some((one) => fits(value, one))) {
      wrong.push(`${text} → ${JSON.stringify(value)} is none of ${JSON.stringify(results)}`);
    }
  }
  assert.deepEqual(wrong, []);
  assert.ok(
    compared > 1_000 && unknown > 100 && functions.size > 45,
    `${compared} ${functions.size}`,
  );
});

test("what an expression results in is known by its text", () => {
  const cases: Readonly<Record<string, unknown>> = {
    "'a' + input.x": ["text"],
    "input.x == 1": ["boolean"],
    "input.x && input.y": ["boolean"],
    "input.whole + 1": ["number", "long"],
    "input.x ? 'a' : 1": ["=a", "=1"],
    "input.x ? 'a' : input.y": undefined,
    "size(input.x)": ["integer"],
    "input.x.map(y, y)": ["list"],
    "input.x.exists(y, y == 1)": ["boolean"],
    "default(input.text, null)": ["text", "=null"],
    "default(input.x, 1)": undefined,
    "input.x": undefined,
    "input": undefined,
    "input['whole']": ["integer"],
    "input.whole.a": undefined,
    "[input.x]": ["list"],
    "{'a': input.x}": ["object"],
    "now()": ["time"],
    "string(now())": ["text"],
    "input.x + input.y": undefined,
  };
  for (const [text, expected] of Object.entries(cases)) {
    const found = resultsOf(compileExpression(text, ["input"]), known);
    const words = found?.map((one) => "kind" in one ? one.kind : `=${one.value}`);
    assert.deepEqual(words, expected, text);
  }
});
