/**
 * Expressions: CEL (https://cel.dev), compiled once with the configuration and evaluated for each
 * event.
 *
 * A text goes through `tokens.ts` and `parser.ts` to a tree (`syntax.ts`), which `compile.ts` turns
 * into functions, with `operators.ts`, `macros.ts` and `functions.ts`. `plain.ts` converts a result
 * to plain JSON values. `meter.ts` limits the cost. docs/expressions.md lists the differences from
 * CEL.
 *
 * May import base/.
 */

import { Compiler } from "./compile.ts";
import { correctionOf } from "./corrections/mod.ts";
import { functionsIn } from "./functions.ts";
import { Meter, meterOf } from "./meter.ts";
import { ExpressionError } from "../base/errors.ts";
import { parse } from "./parser.ts";
import { pathsIn } from "./paths.ts";
import type { ExpressionEnvironment, Scope } from "./scope.ts";
import { toPlain } from "./plain.ts";
import { Source } from "./source.ts";
import { identity as identityOf } from "./values.ts";

export { METER, Meter, meterOf } from "./meter.ts";
export { resultsOf } from "./results.ts";
export type { ExpressionEnvironment, Scope } from "./scope.ts";

/** A compiled expression. It keeps no state between evaluations. */
export interface Expression {
  /** The text that it was compiled from. */
  readonly source: string;
  /** The top-level variables that it reads, such as "input"; `context` counts as "client". */
  readonly variables: ReadonlySet<string>;
  /**
   * The parts of those variables that it reads, as dotted text up to the first name that is not
   * constant: "input.a.b" for `input.a["b"]`, "input.items" for `input.items[0].x`, "input" for
   * `input` alone.
   */
  readonly paths: ReadonlySet<string>;
  /**
   * The value for one event, as plain data: numbers (text for whole numbers beyond 2^53), strings,
   * booleans, null, lists and maps. Timestamps and durations are text, bytes are base64. Plain data
   * from the scope is not copied. Throws an ExpressionError where the expression fails, also for
   * needing more steps than the scope's meter has.
   */
  evaluate(scope: Scope): unknown;
}

/** The environment of an expression, and its place. */
export interface CompileOptions extends ExpressionEnvironment {
  /** The place in the configuration for errors, such as `chat.hcl:34 (flow "say", text)`. */
  readonly place?: string;
}

/**
 * Compiles an expression that can read `variables` (`context.params` is `client.params`). Throws an
 * ExpressionError for a syntax error, an unknown variable or function, a wrong number of arguments,
 * literals of kinds that do not work together, and an unset `env("NAME")`.
 *
 * @example
 * ```ts
 * const expression = compileExpression("trim(input.text) != ''", ["input"]);
 * expression.evaluate({ input: { text: " hello " } }); // true
 * ```
 */
export function compileExpression(
  text: string,
  variables: readonly string[],
  { place, ...environment }: CompileOptions = {},
): Expression {
  const source = new Source(text, place);
  const { run, slots, paths } = compileTree(source, variables, environment);
  return {
    source: text,
    variables: new Set([...paths].map((path) => path.split(".", 1)[0])),
    paths,
    evaluate(scope: Scope): unknown {
      try {
        const meter = meterOf(scope) ?? new Meter();
        return toPlain(meter, run(scope, slots === 0 ? NO_LOCALS : new Array(slots), meter));
      } catch (error) {
        throw source.failed(error);
      }
    },
  };
}

function compileTree(
  source: Source,
  variables: readonly string[],
  environment: ExpressionEnvironment,
) {
  try {
    const tree = parse(source);
    const compiler = new Compiler(source, variables, functionsIn(environment));
    const run = compiler.compile(tree);
    return { run, slots: compiler.slots, paths: pathsIn(tree, variables) };
  } catch (error) {
    throw withCorrection(source.failed(error), variables, environment);
  }
}

/** The error with a text that can be compiled as its hint, where one is known. */
function withCorrection(
  error: ExpressionError,
  variables: readonly string[],
  environment: ExpressionEnvironment,
): ExpressionError {
  if (error.code === "expression-failed") return error;
  // What is set is not the question here.
  const functions = functionsIn({ ...environment, env: () => "set" });
  const compiles = (text: string) => {
    try {
      const source = new Source(text);
      new Compiler(source, variables, functions).compile(parse(source));
      return true;
    } catch {
      return false;
    }
  };
  const { expression, message, code, start, end, place } = error;
  const hint = correctionOf(expression, compiles, error.hint);
  return new ExpressionError(expression, message, { code, start, end, place, hint });
}

/** A text that is the same for two plain values if and only if they are equal. */
export function identity(value: unknown): string {
  return identityOf(new Meter(Infinity), value);
}

/** The locals of expressions without macros. Nothing writes to them. */
const NO_LOCALS: unknown[] = [];

/** Variables that can never be a name as they are, so that a table may be called so. */
const NEVER_NAMES = ["match", "outputs", "results"];

/**
 * Whether the text of a `target` is an expression: one of `variables` followed by `.` or `[` is in
 * it, it is exactly one of them that can be a name, or it starts with a quote. Any other text is a
 * literal name.
 */
export function isExpression(text: string, variables: readonly string[]): boolean {
  const trimmed = text.trim();
  if (/^["']/.test(trimmed)) return true;
  const names = variables.includes("client") ? [...variables, "context"] : variables;
  if (names.includes(trimmed)) return !NEVER_NAMES.includes(trimmed);
  // A name in a longer word or path, as in "orders.input.new", is not a variable.
  const mentioned = trimmed.matchAll(/(?<![\w.])([A-Za-z_]\w*)[.[]/g);
  return [...mentioned].some(([, name]) => names.includes(name));
}
