/** No event can stall the others: what an expression costs is counted, whatever it does. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { ExpressionError } from "../../src/base/errors.ts";
import { compileExpression, METER, Meter } from "../../src/expression/mod.ts";
import { functionsIn } from "../../src/expression/functions.ts";
import { MACRO_NAMES } from "../../src/expression/macros.ts";
import { BUDGET } from "../../src/expression/meter.ts";
import { OPERATORS } from "../../src/expression/operators.ts";
import { attacks, many } from "../support/attacks.ts";
import { hostile } from "../support/hostile.ts";
import { isOurs } from "../support/shares.ts";

const NEEDS_MORE = /needs more steps than the 10 million/;

/**
 * The processor time of one evaluation, in milliseconds; it may fail as an expression fails. Elapsed
 * time would grow with the load of the machine, and most where the garbage collector waits for its
 * threads.
 */
function cost(text: string): number {
  const expression = compileExpression(text, ["input"]);
  const before = process.cpuUsage();
  try {
    expression.evaluate({ input: hostile });
  } catch (error) {
    assert.ok(error instanceof ExpressionError, String(error));
    assert.equal(error.cause, undefined, `${text}: ${error.message}`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** The steps that it takes. */
function steps(text: string, input: unknown = hostile): number {
  const meter = new Meter(1e12);
  compileExpression(text, ["input"]).evaluate({ input, [METER]: meter });
  return 1e12 - meter.left;
}

/** What all steps of an event take where they are spent on the simplest of all. */
function measure(): number {
  return cost("input.numbers.all(n, input.numbers.all(m, m >= 0))");
}

let usual = measure();

/** How many times as long anything else may take: what is counted is no more than about right. */
const ROOM = 4;

test("expression budget: each function, macro and operator is attacked", () => {
  const names = [...functionsIn({}).keys(), ...MACRO_NAMES, ...Object.keys(OPERATORS)];
  assert.deepEqual(names.filter((name) => !Object.hasOwn(attacks, name)), []);
});

// Deno and Node have the same engine, which decides what a step takes: each attacks with one half.
const attacked = Object.entries(attacks).map(([name, expressions], index) =>
  [name, expressions.filter((_, each) => isOurs(index + each, ["deno", "node"]))] as const
).filter(([, expressions]) => expressions.length > 0);

for (const [name, expressions] of attacked) {
  test(`expression budget: nothing that is done with ${name} takes longer than the steps of one event`, () => {
    for (const text of expressions) {
      // The machine may do other things meanwhile: what is slow is slow every time.
      const tries: string[] = [];
      while (tries.length < 6) {
        const took = cost(text);
        if (took <= ROOM * usual) break;
        tries.push(`${took.toFixed(0)} ms, where all steps take ${usual.toFixed(0)} ms`);
        usual = measure();
      }
      assert.ok(tries.length < 6, `${text}: ${tries.join("; ")}`);
    }
  });
}

test("expression budget: the expressions of one event share it, others have their own", () => {
  const expression = compileExpression("input.numbers.filter(n, n > 3)", ["input"]);
  const scope = { input: hostile, [METER]: new Meter() };
  const used = BUDGET - (expression.evaluate(scope), scope[METER].left);
  assert.ok(used > 240_000 && used < BUDGET / 2, `${used}`);
  for (let left = scope[METER].left; left > used; left = scope[METER].left) {
    expression.evaluate(scope);
    assert.equal(left - scope[METER].left, used);
  }
  assert.throws(() => expression.evaluate(scope), NEEDS_MORE);
  assert.throws(() => compileExpression("'a' + 'bcd'", []).evaluate(scope), NEEDS_MORE);
  assert.deepEqual(compileExpression("'a' + 'bcd'", []).evaluate({}), "abcd");
});

test("expression budget: what is short costs next to nothing", () => {
  const input = { text: "hello", n: 7, user: { id: "u1" }, roles: ["user", "staff"] };
  for (const text of ["input.text", "input.n > 3", "input.user.id == 'u1'", "input.missing.deep"]) {
    assert.ok(steps(text, input) <= 2, text);
  }
  for (const text of ["trim(input.text)", "input", "input.roles.exists(r, r == 'staff')"]) {
    assert.ok(steps(text, input) <= 50, `${text}: ${steps(text, input)}`);
  }
});

test("expression budget: && and || and exists do not go on where no steps are left", () => {
  const spent = `input.numbers.all(n, input.numbers.all(m, m >= 0))`;
  for (
    const text of [`${spent} || true`, `true || ${spent}`, `[1, 2].exists(i, ${spent} || i == 2)`]
  ) {
    const evaluate = () => compileExpression(text, ["input"]).evaluate({ input: hostile });
    if (text.startsWith("true")) assert.equal(evaluate(), true);
    else assert.throws(evaluate, NEEDS_MORE, text);
  }
});

test("expression budget: the error has the place of what took the last step", () => {
  const text = "1 < 2 && size(input.numbers.map(n, input.numbers.map(m, m))) > 0";
  assert.throws(() => compileExpression(text, ["input"]).evaluate({ input: hostile }), (error) => {
    assert.ok(error instanceof ExpressionError);
    assert.match(error.message, NEEDS_MORE);
    return true;
  });
});

test("expression budget: of the items that fail the first is told, and how many", () => {
  const list = [1, "a", 2, null];
  const evaluate = (text: string) =>
    compileExpression(text, ["input"]).evaluate({ input: { list } });
  assert.equal(evaluate("input.list.exists(x, x > 1)"), true);
  assert.throws(
    () => evaluate("input.list.exists(x, x > 2)"),
    /">" does not work on string and number \(the first of 2 items that failed\)$/,
  );
  assert.throws(() => evaluate("input.list.all(x, x > 0 || x == null)"), (error) => {
    assert.match((error as Error).message, /string and number$/);
    const { start, end } = error as ExpressionError;
    assert.equal("input.list.all(x, x > 0 || x == null)".slice(start, end), "x > 0");
    return true;
  });
});

test("expression budget: a value that stands in a result many times counts as often", () => {
  assert.throws(
    () => compileExpression(many("input.text"), ["input"]).evaluate({ input: hostile }),
    NEEDS_MORE,
  );
  const twice = steps("[input.text, input.text]") - steps("[input.text]");
  assert.ok(twice >= String(hostile.text).length / 5, `${twice}`);
});

test("expression budget: deep values are copied once, not once for each level", () => {
  let deep: unknown = -0;
  for (let i = 0; i < 60; i++) deep = i % 2 === 0 ? { a: deep } : [deep];
  const result = compileExpression("input", ["input"]).evaluate({ input: deep });
  assert.deepEqual(JSON.stringify(result), JSON.stringify(deep));
  assert.ok(steps("input", deep) < 10_000);
});

test("expression budget: a text that would be too long for any runtime takes more than all steps", () => {
  const meter = new Meter();
  const input = { text: ",".repeat(50_000), by: "x".repeat(60_000) };
  const expression = compileExpression("input.text.replace(',', input.by)", ["input"]);
  assert.throws(() => expression.evaluate({ input, [METER]: meter }), NEEDS_MORE);
  assert.ok(meter.exhausted, `${meter.left} steps are left`);
});
