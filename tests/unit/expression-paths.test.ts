/** The variables and paths that an expression says it reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { compileExpression } from "../../src/expression/mod.ts";

const VARIABLES = ["input", "output", "client", "step", "constants"];

const PATHS: readonly (readonly [source: string, paths: readonly string[]])[] = [
  ["1 + 2", []],
  ["input", ["input"]],
  ["input.a.b", ["input.a.b"]],
  ["input['a']", ["input.a"]],
  ["input['a'].b['first name']", ["input.a.b.first name"]],
  ["(input.a).b", ["input.a.b"]],
  ["input.items[0].x", ["input.items"]],
  ["input.items[0]['x']", ["input.items"]],
  ["input['a.b'].c", ["input"]],
  ["input[''].c", ["input"]],
  ["input[true].c", ["input"]],
  ["input.a[input.key].b", ["input.a", "input.key"]],
  ["input.a + input.b + input.a", ["input.a", "input.b"]],
  ["input == input.a", ["input", "input.a"]],
  ["step.author.name", ["step.author.name"]],
  ["client.user_id != null && !output.done", ["client.user_id", "output.done"]],
  ["-input.n < 0 ? input.yes : input.no", ["input.n", "input.no", "input.yes"]],
  ["trim(input.text)", ["input.text"]],
  ["input.text.trim().len()", ["input.text"]],
  ["math.abs(input.n)", ["input.n"]],
  ["[input.a, {'k': input.b, input.c: 1}]", ["input.a", "input.b", "input.c"]],
  ["{'a': input.m}.a", ["input.m"]],
  ["has(input.a)", ["input.a"]],
  ["has(input.a['b'])", ["input.a.b"]],
  ["has(input.items[0])", ["input.items"]],
  // `context` stands for the parameters of `client`.
  ["context", ["client"]],
  ["context.params", ["client.params"]],
  ["context.params.x.y", ["client.params.x.y"]],
  ["context['params'].x", ["client.params.x"]],
  // A macro's variable hides the variable of the same name, in its bodies alone.
  ["input.list.map(x, x.name)", ["input.list"]],
  ["input.list.map(x, x.name + step.a.b)", ["input.list", "step.a.b"]],
  ["input.list.filter(input, input.a)", ["input.list"]],
  ["input.list.exists(step, step == 1) && step.a == 1", ["input.list", "step.a"]],
  ["input.list.map(x, x.ok, x.all(y, y == input.z))", ["input.list", "input.z"]],
  ["input.list.all(context, context.params)", ["input.list"]],
  ["input.list.sortBy(u, u.age + output.shift)", ["input.list", "output.shift"]],
  ["cel.bind(x, input.a, x.b + input.c)", ["input.a", "input.c"]],
  ["cel.bind(input, input.a, input.b)", ["input.a"]],
  // Names that are no variables.
  ["type(input.n) == string", ["input.n"]],
  ["env('HOME', 'x')", []],
];

test("paths are the longest constant selections below a variable", () => {
  for (const [source, paths] of PATHS) {
    assert.deepEqual([...compileExpression(source, VARIABLES).paths].sort(), paths, source);
  }
});

test("variables are the first names of the paths", () => {
  for (const [source, paths] of PATHS) {
    const names = [...new Set(paths.map((path) => path.split(".")[0]))].sort();
    assert.deepEqual([...compileExpression(source, VARIABLES).variables].sort(), names, source);
  }
});

test("a variable that is called context is itself", () => {
  const { paths } = compileExpression("context.a == client.b", ["client", "context"]);
  assert.deepEqual([...paths].sort(), ["client.b", "context.a"]);
});

test("a path leads to what the expression reads", () => {
  for (const [source, paths] of PATHS.filter(([source]) => /^input[.a-z]*$/.test(source))) {
    const expression = compileExpression(source, VARIABLES);
    const marker = { marked: true };
    const steps = [...paths][0].split(".");
    const scope = steps.reduceRight<unknown>((inner, name) => ({ [name]: inner }), marker);
    assert.equal(expression.evaluate(scope as Record<string, unknown>), marker, source);
  }
});
