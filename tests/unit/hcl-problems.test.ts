import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem } from "../../src/base/errors.ts";
import { readFiles } from "../../src/hcl/mod.ts";
import { problemAt, sortProblems } from "../../src/hcl/tree.ts";
import { placed, readTexts } from "../support/hcl.ts";

const problems: ReadonlyArray<readonly [text: string, ...problems: string[]]> = [
  // Syntax.
  [
    "a = \n",
    "a.hcl:1:5+1 syntax error: there is no value here | text stands in quotes, a list in [ ], an object in { }",
  ],
  [
    'ä = "äöü" + ',
    "a.hcl:1:13+1 syntax error: missing expression: expected the start of an expression, but found the end of the file",
  ],
  [
    'x = "e\u0301😀" 1\n',
    "a.hcl:1:11+1 syntax error: missing newline after argument: an argument definition must end with a newline",
  ],
  [
    "\tx = 1 2\r\n",
    "a.hcl:1:8+1 syntax error: missing newline after argument: an argument definition must end with a newline",
  ],
  [
    "a = 1\r\na = 2\r\n",
    'a.hcl:2:1+1 syntax error: attribute redefined: the argument "a" was already set at a.hcl:1:1',
  ],
  [
    "b {\n  x = 1\n",
    "a.hcl:1:3+1 syntax error: unclosed configuration block: there is no closing brace for this block before the end of the file",
  ],
  [
    'a = "x\nb = 1\nc = "y"\n',
    "a.hcl:1:5+2 syntax error: this string is not closed | end it with a quote on its line",
  ],
  [
    'ä "x {\n}\n',
    "a.hcl:1:3+4 syntax error: this string is not closed | end it with a quote on its line",
  ],
  [
    "x = 1 }\n",
    "a.hcl:1:7+1 syntax error: missing newline after argument: an argument definition must end with a newline",
  ],
  [
    "x = 'q'\ny = 'r'\n",
    "a.hcl:1:5+1 syntax error: invalid character: single quotes are not valid",
    "a.hcl:2:5+1 syntax error: invalid character: single quotes are not valid",
  ],
  [
    'type "t" {\n a = input.x\n}\n',
    'a.hcl:2:6+5 type "t": unknown variable "input" | write it in quotes: "input.x"',
  ],
  [
    `x = ${"[".repeat(5000)}`,
    "a.hcl:1:205+1 syntax error: more than 200 brackets and operators inside each other",
  ],
  [
    `${"a {\n".repeat(5000)}`,
    "a.hcl:201:3+1 syntax error: more than 200 brackets and operators inside each other",
  ],
  // Environment and files.
  [
    'x = env("A")\n',
    'a.hcl:1:5+8 x: the environment variable A is not set | set it, or give a default: env("A", "…")',
  ],
  [
    'x = env("EMPTY")\n',
    'a.hcl:1:5+12 x: the environment variable EMPTY is not set | set it, or give a default: env("EMPTY", "…")',
  ],
  [
    'connector "ws" {\r\n\r\n\ttls { cert = "ä😀${env("A")}" }\r\n}\r\n',
    'a.hcl:3:20+8 connector "ws": the environment variable A is not set | set it, or give a default: env("A", "…")',
  ],
  [
    'x = [env("A"), { b = env("B") }]\n',
    'a.hcl:1:6+8 x: the environment variable A is not set | set it, or give a default: env("A", "…")',
    'a.hcl:1:22+8 x: the environment variable B is not set | set it, or give a default: env("B", "…")',
  ],
  ["x = env()\n", 'a.hcl:1:5+5 x: env takes a name and a default: env("NAME", "default")'],
  [
    'x = env("A", 1, 2)\n',
    'a.hcl:1:5+14 x: env takes a name and a default: env("NAME", "default")',
  ],
  ["x = env(1)\n", "a.hcl:1:9+1 x: expected a text in quotes"],
  ["x = env(A)\n", 'a.hcl:1:9+1 x: unknown variable "A" | write it in quotes: "A"'],
  ['x = env(["A"]...)\n', 'a.hcl:1:5+3 x: env() does not take "..."'],
  [
    'x = file("no.pem")\n',
    'a.hcl:1:10+8 x: cannot read the file "no.pem": no such file: /conf/no.pem',
  ],
  ["x = file()\n", 'a.hcl:1:5+6 x: file takes one path: file("path")'],
  // Names.
  [
    "type = websocket\n",
    'a.hcl:1:8+9 type: unknown variable "websocket" | write it in quotes: "websocket"',
  ],
  [
    "x = [a, b]\n",
    'a.hcl:1:6+1 x: unknown variable "a" | write it in quotes: "a"',
    'a.hcl:1:9+1 x: unknown variable "b" | write it in quotes: "b"',
  ],
  [
    'flow "f" {\n to { when = input.x == 1 }\n}\n',
    'a.hcl:2:14+5 flow "f": unknown variable "input" | write it in quotes: "input.x == 1"',
  ],
  [
    'x = input.x == "a"\n',
    'a.hcl:1:5+5 x: unknown variable "input" | a value can name constants, as constants.NAME',
  ],
  [
    'x = "${foo}"\n',
    'a.hcl:1:8+3 x: unknown variable "foo" | a value can name constants, as constants.NAME',
  ],
  ["x = constant.y\n", 'a.hcl:1:5+8 x: unknown variable "constant" | did you mean "constants"?'],
  ["x = uuid()\n", 'a.hcl:1:5+4 x: unknown function "uuid" | write it in quotes: "uuid()"'],
  ['x = "${en("A")}"\n', 'a.hcl:1:8+2 x: unknown function "en" | did you mean "env"?'],
  ['x = upper("a")\n', 'a.hcl:1:5+5 x: unknown function "upper" | a value can call env and file'],
  // Constants.
  [
    "x = constants.porrt\nconstants { port = 1 }\n",
    'a.hcl:1:15+5 x: there is no constant "porrt" | did you mean "port"?',
  ],
  [
    "constants {\n a = constants.b\n b = 1\n}\n",
    'a.hcl:2:16+1 constants: the constant "b" stands below | a constant can use those above it',
  ],
  [
    "constants {\n a = constants.a\n}\n",
    'a.hcl:2:16+1 constants: the constant "a" stands below | a constant can use those above it',
  ],
  [
    'x = constants.a\nconstants { a = env("A") }\n',
    'a.hcl:2:17+8 constants: the environment variable A is not set | set it, or give a default: env("A", "…")',
  ],
  [
    "constants { a = 1 }\nconstants { a = 2 }\n",
    'a.hcl:2:13+1 the constant "a" stands twice, first at a.hcl:1',
  ],
  [
    "constants {\n a { x = 1 }\n}\n",
    'a.hcl:2:2+1 constants: "a" is a block, and a constant is a value | write it as a = { … }',
  ],
  [
    "x = constants.a.bb[0]\nconstants { a = { b = [] } }\n",
    'a.hcl:1:17+2 x: the object has no field "bb" | did you mean "b"?',
  ],
  ["x = constants.a[2]\nconstants { a = [1] }\n", "a.hcl:1:16+3 x: no item 2 in a list of 1"],
  ["x = constants.a.b\nconstants { a = [1] }\n", 'a.hcl:1:17+1 x: a list has no field "b"'],
  ['x = constants.a.length\nconstants { a = "t" }\n', "a.hcl:1:17+6 x: a text has no fields"],
  [
    "x = constants.toString\ny = constants.__proto__\n",
    'a.hcl:1:15+8 x: there is no constant "toString"',
    'a.hcl:2:15+9 y: there is no constant "__proto__"',
  ],
  ["x = { a = 1 }.constructor\n", 'a.hcl:1:15+11 x: the object has no field "constructor"'],
  // Operators and what is not there.
  ['x = 1 + "b"\n', "a.hcl:1:9+3 x: expected a number, not a text"],
  ["x = -[1]\n", "a.hcl:1:6+3 x: expected a number, not a list"],
  ["x = !1\n", "a.hcl:1:6+1 x: expected true or false, not a number"],
  ["x = true && 1\n", "a.hcl:1:13+1 x: expected true or false, not a number"],
  ["x = 5 % 0\n", "a.hcl:1:9+1 x: division by zero"],
  ["x = 1e999\n", "a.hcl:1:5+5 x: the number is out of range"],
  ["x = 1e308 * 10\n", "a.hcl:1:5+5 x: the number is out of range"],
  ["x = 1 ? 2 : 3\n", "a.hcl:1:5+1 x: a condition must be true or false"],
  ['x = "a${null}"\n', "a.hcl:1:9+4 x: null cannot stand inside a text"],
  ['x = "a${[1]}"\n', "a.hcl:1:9+3 x: a list cannot stand inside a text"],
  ["x = { a = 1, a = 2 }\n", 'a.hcl:1:14+1 x: the key "a" stands twice'],
  ["x = { (null) = 1 }\n", "a.hcl:1:8+4 x: null cannot be a key"],
  ["x = [for y in [1] : y]\n", "a.hcl:1:5+18 x: a value cannot have a for expression"],
  ["x = a[*].b\n", "a.hcl:1:5+6 x: a value cannot have a splat (*)"],
  ['x = "%{ for y in [1] }a%{ endfor }"\n', "a.hcl:1:6+29 x: a template cannot have a for loop"],
  ['x = "a ${~ 1 }"\n', 'a.hcl:1:5+11 x: a template cannot trim with "~"'],
];

for (const [text, ...expected] of problems) {
  test(`problem: ${JSON.stringify(text.slice(0, 80))}`, async () => {
    const result = await readTexts([text], { env: { EMPTY: "" } });
    assert.deepEqual(sortProblems(result.problems).map(placed), expected);
  });
}

test("a failed attribute stays in the tree and is marked", async () => {
  const { body } = await readTexts(['x = env("A")\ny = undefined_word\nz = null\n']);
  assert.deepEqual(body.attributes.map(({ name, value, failed }) => [name, value, failed]), [
    ["x", undefined, true],
    ["y", undefined, true],
    ["z", null, undefined],
  ]);
});

test("constants of a broken file are not reported as unknown", async () => {
  const { problems, body } = await readTexts(["constants {\n a = \n}\n", "x = constants.a\n"]);
  assert.deepEqual(problems.map(({ file }) => file), ["a.hcl"]);
  assert.equal(body.attributes[0].failed, true);
  const other = await readTexts(["flow {\n a = \n}\n", "x = constants.a\n"]);
  assert.deepEqual(other.problems.map(({ file }) => file), ["a.hcl", "b.hcl"]);
});

test("an environment that refuses is a problem", async () => {
  const files = [{ path: "a.hcl", text: 'x = env("A", 1)\n', folder: "" }];
  const { problems } = await readFiles(files, {
    env: () => {
      throw new Error("not allowed");
    },
    readFile: () => "",
  });
  assert.deepEqual(problems.map(placed), [
    "a.hcl:1:5+11 x: cannot read the variable A: not allowed",
  ]);
});

test("a problem shows its line with a caret", async () => {
  const { problems } = await readTexts(['connector "ws" {\r\n\ttype = websocket\r\n}\r\n']);
  assert.equal(
    formatProblem(problems[0]),
    'error: connector "ws": unknown variable "websocket"\n' +
      " ┌ a.hcl:2:9\n" +
      "2│ \ttype = websocket\n" +
      ' │ \t       ^^^^^^^^^ write it in quotes: "websocket"',
  );
});

test("problemAt counts characters and stays on the first line", () => {
  const file = { path: "f", text: "é😀x\r\ny\n", folder: "" };
  const at = (start: number, end: number): unknown => {
    const { line, column, length, source } = problemAt({ file, start, end }, "m");
    return [line, column, length, source];
  };
  assert.deepEqual(at(0, 0), [1, 1, 1, "é😀x"]);
  assert.deepEqual(at(1, 4), [1, 2, 2, "é😀x"]);
  assert.deepEqual(at(3, 8), [1, 3, 1, "é😀x"]);
  assert.deepEqual(at(6, 7), [2, 1, 1, "y"]);
  assert.deepEqual(at(8, 8), [3, 1, 1, ""]);
  const warning = problemAt({ file, start: 0, end: 1 }, "m", { severity: "warning", hint: "h" });
  assert.deepEqual([warning.severity, warning.hint], ["warning", "h"]);
});

test("problems sort by the files' order, then by line and column", () => {
  const problem = (path: string, start: number) => {
    const file = { path, text: "ab\ncd\n", folder: "" };
    return problemAt({ file, start, end: start + 1 }, "m");
  };
  const all = [problem("z", 3), problem("a", 1), problem("z", 1), problem("z", 0), problem("q", 0)];
  const places = (paths?: string[]) =>
    sortProblems(all, paths).map(({ file, line, column }) => `${file}${line}${column}`);
  assert.deepEqual(places(["a", "z"]), ["a12", "z11", "z12", "z21", "q11"]);
  assert.deepEqual(places(), ["z11", "z12", "z21", "a12", "q11"]);
});
