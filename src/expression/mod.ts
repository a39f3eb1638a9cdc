/**
 * Expressions: CEL (https://cel.dev) compiled once, when the configuration is loaded, and
 * evaluated for each event.
 *
 * Where they differ from plain CEL: a missing field or index reads as null at any depth; JSON
 * numbers (doubles) and int literals mix freely, two ints divide to an int and anything with a
 * JSON number divides to a double; `string + number` joins; a ternary's branches and a list's
 * items may be of different types; every function can be called as `f(x)` and as `x.f()`.
 *
 * May import base/.
 */

import { Compiler } from "./compile.ts";
import { functionsIn } from "./functions.ts";
import { parse } from "./parser.ts";
import { pathsIn } from "./paths.ts";
import { Source } from "./source.ts";
import { Meter, meterOf } from "./meter.ts";
import type { ExpressionEnvironment, Scope } from "./scope.ts";
import { identity as identityOf, toPlain } from "./values.ts";

export { METER, Meter, meterOf } from "./meter.ts";
export type { ExpressionEnvironment, Scope } from "./scope.ts";

/** A compiled expression. It keeps no state between evaluations. */
export interface Expression {
  /** The text that it was compiled from. */
  readonly source: string;
  /** The top-level variables that it reads, such as "input"; `context` counts as "client". */
  readonly variables: ReadonlySet<string>;
  /**
   * The parts of those that it reads, as dotted text, each as long as its names are constant:
   * `input.a["b"]` is "input.a.b", `input.items[0].x` is "input.items", `input` alone is "input".
   */
  readonly paths: ReadonlySet<string>;
  /**
   * The value for one event, as plain data: numbers (text for ints beyond 2^53), strings,
   * booleans, null, lists and maps. Timestamps and durations are text, bytes are base64. What was
   * read whole from the scope is not copied. Throws an ExpressionError, one where it needs more steps
   * than the scope's meter has, too.
   */
  evaluate(scope: Scope): unknown;
}

/** What an expression is compiled with. */
export interface CompileOptions extends ExpressionEnvironment {
  /** Where it stands, such as `chat.hcl:34 (flow "say", text)`: its errors carry it. */
  readonly place?: string;
}

/**
 * Compiles an expression that may read `variables` (`context` stands for the parameters of
 * `client`). Throws an ExpressionError for a syntax error, an unknown variable or function, a wrong
 * number of arguments, literals that do not go together, and an unset `env("NAME")`.
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
    throw source.failed(error);
  }
}

/** A text that two values share exactly when they are equal. */
export function identity(value: unknown): string {
  return identityOf(new Meter(Infinity), value);
}

/** What expressions without macros are given; nothing writes to it. */
const NO_LOCALS: unknown[] = [];

/**
 * Whether the text of a `target` is an expression: it mentions one of `variables` followed by `.`
 * or `[`, is exactly one, or starts with a quote. All else is the literal name.
 */
export function isExpression(text: string, variables: readonly string[]): boolean {
  const trimmed = text.trim();
  if (/^["']/.test(trimmed)) return true;
  const names = variables.includes("client") ? [...variables, "context"] : variables;
  if (names.includes(trimmed)) return true;
  // A name that is part of a longer word or path, as in "orders.input.new", is no variable.
  const mentioned = trimmed.matchAll(/(?<![\w.])([A-Za-z_]\w*)[.[]/g);
  return [...mentioned].some(([, name]) => names.includes(name));
}
