/** Where the expressions of a configuration stand, before and after they run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExpressionError } from "../../src/base/errors.ts";
import type { Expression } from "../../src/expression/mod.ts";
import {
  expression,
  expressionMap,
  expressions,
  target,
} from "../../src/contract/expression-fields.ts";
import { type ReadContext, readFields } from "../../src/contract/fields.ts";
import { problemAt } from "../../src/hcl/tree.ts";
import { covered, readTexts } from "../support/hcl.ts";
import { placed } from "../support/problems.ts";

const about = { about: "x" };
const fields = {
  when: expression({ ...about, variables: ["output"] }),
  target: target(about),
  params: expressionMap(about),
  shape: expressions({ ...about, variables: ["output"] }),
};

/** What the fields make of a text, and its problems. */
async function read(text: string, context: Partial<ReadContext> = {}) {
  const { body, problems } = await readTexts([text]);
  const found = problems.map(placed);
  const values = readFields(body, fields, body.span, {
    subject: 'flow "say"',
    variables: ["input"],
    env: () => undefined,
    report: (problem) => void found.push(placed(problemAt(problem))),
    ...context,
  });
  return { values, problems: found };
}

/** Where the failure of an expression says that it stands. */
function placeOf(expression: unknown): string | undefined {
  try {
    (expression as Expression).evaluate({});
  } catch (error) {
    assert.ok(error instanceof ExpressionError);
    return error.place;
  }
  return assert.fail("it did not fail");
}

test("a mistake inside an object's field has its own place", async () => {
  const { problems, values } = await read(
    'params = { id = "trim(1, 2)", ok = "1", name = "inptu" }\n',
  );
  assert.deepEqual(problems, [
    "a.hcl:1:18+10 wrong-arguments",
    "a.hcl:1:49+5 unknown-variable",
  ]);
  assert.equal(values.params, undefined);
});

test("fields on lines of their own, quoted names and characters of any width", async () => {
  const { problems } = await read(`params = {
  # "trimm()"
  "é 😀" = "'😀' + nope"
  good   = "1 + 1"
  b      = "trimm('x')"
}
`);
  assert.deepEqual(problems, [
    "a.hcl:3:18+4 unknown-variable",
    "a.hcl:5:13+5 unknown-function",
  ]);
});

test("an expression that is cut short is blamed at its end", async () => {
  const { problems } = await read('params = { id = "input.idd(" }\n');
  assert.deepEqual(problems, ["a.hcl:1:28+1 expression-syntax"]);
});

test("a field that is not what is written has the place of the whole field", async () => {
  const written = ['"nope + \\"b\\""', 'true ? "nope" : ""', '"nope ${"+"} 1"', "3"];
  for (const value of written) {
    const { problems } = await read(`params = { a = ${value}, b = "1" }\n`);
    assert.deepEqual(problems.map((problem) => problem.replace(/ .*/, "")), [
      `a.hcl:1:16+${value.length}`,
    ]);
  }
});

test("parentheses around a field's value change nothing", async () => {
  const { problems } = await read('params = { a = (("1 + nope")) }\n');
  assert.deepEqual(problems, ["a.hcl:1:23+4 unknown-variable"]);
});

test("an object that a constant holds is blamed where it stands", async () => {
  const { problems } = await read(`constants {
  params = { id = "nope" }
}
params = constants.params
`);
  assert.deepEqual(problems, ["a.hcl:1:1+9 unknown-block", "a.hcl:2:20+4 unknown-variable"]);
});

test("a value that is no object is blamed as a whole", async () => {
  const { problems } = await read('params = ["a"]\n');
  assert.deepEqual(problems, ["a.hcl:1:10+5 invalid-value"]);
});

test("every expression knows its file, line, block and attribute", async () => {
  const { values, problems } = await read(`when = "input.x + 1"
target = "'a' + coalesce(null)"
params = {
  id = "-coalesce(null)"
}
shape {
  n    = "1"
  text = "trim(output.text)"
}
`);
  assert.deepEqual(problems, []);
  const shape = new Map(values.shape);
  assert.equal(placeOf(values.when), 'a.hcl:1 (flow "say", when)');
  assert.equal(placeOf(values.target), 'a.hcl:2 (flow "say", target)');
  assert.equal(placeOf(values.params?.id), 'a.hcl:4 (flow "say", params.id)');
  assert.equal(placeOf(shape.get("text")), 'a.hcl:8 (flow "say", shape: text)');
});

test("expressions read the environment and the clock of the configuration", async () => {
  const env = (name: string) => name === "TOWN" ? "Ulm" : undefined;
  const { values, problems } = await read(`when = "now_unix()"\nparams = { a = "env('TOWN')" }\n`, {
    env,
    now: () => 5000,
  });
  assert.deepEqual(problems, []);
  assert.equal(values.when?.evaluate({}), 5);
  assert.equal(values.params?.a.evaluate({}), "Ulm");
});

test("who reads a configuration is told of every expression that compiles", async () => {
  const told: string[] = [];
  await read(
    `when = "input.a"\nparams = { a = "input.b", b = "nope" }\nshape {\n  n = "input.c"\n}\n`,
    { onExpression: ({ source }, span) => told.push(`${source} ${covered(span)}`) },
  );
  assert.deepEqual(told, ['input.a "input.a"', 'input.b "input.b"', 'input.c "input.c"']);
});
