import assert from "node:assert/strict";
import { test } from "node:test";
import { formatProblem } from "../../src/base/problem.ts";
import { readFiles } from "../../src/hcl/mod.ts";
import { problemAt, sortProblems } from "../../src/hcl/tree.ts";
import { readTexts } from "../support/hcl.ts";
import { placed } from "../support/problems.ts";

const problems: ReadonlyArray<readonly [text: string, ...problems: string[]]> = [
  // Syntax.
  [
    "a = \n",
    "a.hcl:1:5+1 syntax-error",
  ],
  [
    'ä = "äöü" + ',
    "a.hcl:1:13+1 syntax-error",
  ],
  [
    'x = "e\u0301😀" 1\n',
    "a.hcl:1:11+1 syntax-error",
  ],
  [
    "\tx = 1 2\r\n",
    "a.hcl:1:8+1 syntax-error",
  ],
  [
    "a = 1\r\na = 2\r\n",
    "a.hcl:2:1+1 syntax-error",
  ],
  [
    "b {\n  x = 1\n",
    "a.hcl:1:3+1 syntax-error",
  ],
  [
    'a = "x\nb = 1\nc = "y"\n',
    "a.hcl:1:5+2 syntax-error",
  ],
  [
    'ä "x {\n}\n',
    "a.hcl:1:3+4 syntax-error",
  ],
  [
    "x = 1 }\n",
    "a.hcl:1:7+1 syntax-error",
  ],
  [
    "x = 'q'\ny = 'r'\n",
    "a.hcl:1:5+1 syntax-error",
    "a.hcl:2:5+1 syntax-error",
  ],
  [
    'type "t" {\n a = input.x\n}\n',
    "a.hcl:2:6+5 unknown-variable",
  ],
  [
    `x = ${"[".repeat(5000)}`,
    "a.hcl:1:205+1 too-large",
  ],
  [
    `${"a {\n".repeat(5000)}`,
    "a.hcl:201:3+1 too-large",
  ],
  // Environment and files.
  [
    'x = env("A")\n',
    "a.hcl:1:5+8 env-not-set",
  ],
  [
    'x = env("EMPTY")\n',
    "a.hcl:1:5+12 env-not-set",
  ],
  [
    'connector "ws" {\r\n\r\n\ttls { cert = "ä😀${env("A")}" }\r\n}\r\n',
    "a.hcl:3:20+8 env-not-set",
  ],
  [
    'x = [env("A"), { b = env("B") }]\n',
    "a.hcl:1:6+8 env-not-set",
    "a.hcl:1:22+8 env-not-set",
  ],
  ["x = env()\n", "a.hcl:1:5+5 wrong-arguments"],
  [
    'x = env("A", 1, 2)\n',
    "a.hcl:1:5+14 wrong-arguments",
  ],
  ["x = env(1)\n", "a.hcl:1:9+1 wrong-type"],
  ["x = env(A)\n", "a.hcl:1:9+1 unknown-variable"],
  ['x = env(["A"]...)\n', "a.hcl:1:5+3 unsupported-syntax"],
  [
    'x = file("no.pem")\n',
    "a.hcl:1:10+8 file-not-readable",
  ],
  ["x = file()\n", "a.hcl:1:5+6 wrong-arguments"],
  // Names.
  [
    "type = websocket\n",
    "a.hcl:1:8+9 unknown-variable",
  ],
  [
    "x = [a, b]\n",
    "a.hcl:1:6+1 unknown-variable",
    "a.hcl:1:9+1 unknown-variable",
  ],
  [
    'flow "f" {\n to { when = input.x == 1 }\n}\n',
    "a.hcl:2:14+5 unknown-variable",
  ],
  [
    'x = input.x == "a"\n',
    "a.hcl:1:5+5 unknown-variable",
  ],
  [
    'x = "${foo}"\n',
    "a.hcl:1:8+3 unknown-variable",
  ],
  ["x = constant.y\n", "a.hcl:1:5+8 unknown-variable"],
  ["x = uuid()\n", "a.hcl:1:5+4 unknown-function"],
  ['x = "${en("A")}"\n', "a.hcl:1:8+2 unknown-function"],
  ['x = upper("a")\n', "a.hcl:1:5+5 unknown-function"],
  // Constants.
  [
    "x = constants.porrt\nconstants { port = 1 }\n",
    "a.hcl:1:15+5 unknown-constant",
  ],
  [
    "constants {\n a = constants.b\n b = 1\n}\n",
    "a.hcl:2:16+1 constant-order",
  ],
  [
    "constants {\n a = constants.a\n}\n",
    "a.hcl:2:16+1 constant-order",
  ],
  [
    'x = constants.a\nconstants { a = env("A") }\n',
    "a.hcl:2:17+8 env-not-set",
  ],
  [
    "constants { a = 1 }\nconstants { a = 2 }\n",
    "a.hcl:2:13+1 duplicate-name",
  ],
  [
    "constants {\n a { x = 1 }\n}\n",
    "a.hcl:2:2+1 unknown-block",
  ],
  [
    "x = constants.a.bb[0]\nconstants { a = { b = [] } }\n",
    "a.hcl:1:17+2 unknown-field",
  ],
  ["x = constants.a[2]\nconstants { a = [1] }\n", "a.hcl:1:16+3 unknown-field"],
  ["x = constants.a.b\nconstants { a = [1] }\n", "a.hcl:1:17+1 wrong-type"],
  ['x = constants.a.length\nconstants { a = "t" }\n', "a.hcl:1:17+6 wrong-type"],
  [
    "x = constants.toString\ny = constants.__proto__\n",
    "a.hcl:1:15+8 unknown-constant",
    "a.hcl:2:15+9 unknown-constant",
  ],
  ["x = { a = 1 }.constructor\n", "a.hcl:1:15+11 unknown-field"],
  // Operators and what is not there.
  ['x = 1 + "b"\n', "a.hcl:1:9+3 wrong-type"],
  ["x = -[1]\n", "a.hcl:1:6+3 wrong-type"],
  ["x = !1\n", "a.hcl:1:6+1 wrong-type"],
  ["x = true && 1\n", "a.hcl:1:13+1 wrong-type"],
  ["x = 5 % 0\n", "a.hcl:1:9+1 invalid-number"],
  ["x = 1e999\n", "a.hcl:1:5+5 invalid-number"],
  ["x = 1e308 * 10\n", "a.hcl:1:5+5 invalid-number"],
  ["x = 1 ? 2 : 3\n", "a.hcl:1:5+1 wrong-type"],
  ['x = "a${null}"\n', "a.hcl:1:9+4 wrong-type"],
  ['x = "a${[1]}"\n', "a.hcl:1:9+3 wrong-type"],
  ["x = { a = 1, a = 2 }\n", "a.hcl:1:14+1 duplicate-name"],
  ["x = { (null) = 1 }\n", "a.hcl:1:8+4 wrong-type"],
  ["x = [for y in [1] : y]\n", "a.hcl:1:5+18 unsupported-syntax"],
  ["x = a[*].b\n", "a.hcl:1:5+6 unsupported-syntax"],
  ['x = "%{ for y in [1] }a%{ endfor }"\n', "a.hcl:1:6+29 unsupported-syntax"],
  ['x = "a ${~ 1 }"\n', "a.hcl:1:5+11 unsupported-syntax"],
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
    "a.hcl:1:5+11 env-not-readable",
  ]);
});

test("a problem shows its line with a caret", async () => {
  const { problems } = await readTexts(['connector "ws" {\r\n\ttype = websocket\r\n}\r\n']);
  assert.equal(
    formatProblem(problems[0]),
    'error[unknown-variable]: connector "ws": unknown variable "websocket"\n' +
      " ┌ a.hcl:2:9\n" +
      "2│ \ttype = websocket\n" +
      ' │ \t       ^^^^^^^^^ write it in quotes: "websocket"',
  );
});

const code = "invalid-value";

test("problemAt counts characters and stays on the first line", () => {
  const file = { path: "f", text: "é😀x\r\ny\n", folder: "" };
  const at = (start: number, end: number): unknown => {
    const { line, column, length, source } = problemAt({
      code,
      span: { file, start, end },
      message: "m",
    });
    return [line, column, length, source];
  };
  assert.deepEqual(at(0, 0), [1, 1, 1, "é😀x"]);
  assert.deepEqual(at(1, 4), [1, 2, 2, "é😀x"]);
  assert.deepEqual(at(3, 8), [1, 3, 1, "é😀x"]);
  assert.deepEqual(at(6, 7), [2, 1, 1, "y"]);
  assert.deepEqual(at(8, 8), [3, 1, 1, ""]);
  const warning = problemAt({
    code,
    span: { file, start: 0, end: 1 },
    message: "m",
    severity: "warning",
    hint: "h",
  });
  assert.deepEqual([warning.severity, warning.hint], ["warning", "h"]);
});

test("problems sort by the files' order, then by line and column", () => {
  const problem = (path: string, start: number) => {
    const file = { path, text: "ab\ncd\n", folder: "" };
    return problemAt({ code, span: { file, start, end: start + 1 }, message: "m" });
  };
  const all = [problem("z", 3), problem("a", 1), problem("z", 1), problem("z", 0), problem("q", 0)];
  const places = (paths?: string[]) =>
    sortProblems(all, paths).map(({ file, line, column }) => `${file}${line}${column}`);
  assert.deepEqual(places(["a", "z"]), ["a12", "z11", "z12", "z21", "q11"]);
  assert.deepEqual(places(), ["z11", "z12", "z21", "a12", "q11"]);
});
