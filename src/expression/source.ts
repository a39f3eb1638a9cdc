/** Errors with the expression and the place in it. */

import { ExpressionError, type ExpressionErrorCode } from "../base/errors.ts";
import { Failure, type Range, snippet } from "./failure.ts";
import type { Meter } from "./meter.ts";
import type { FunctionCall, FunctionDefinition } from "./scope.ts";
import type { CallNode, SyntaxNode } from "./syntax.ts";

/** Optional parts of an error. */
interface Details extends ErrorOptions {
  /** `invalid-expression` by default. */
  readonly code?: ExpressionErrorCode;
  /** What to do about it, such as a name that is close. */
  readonly hint?: string | undefined;
}

/** A function that accepts more arguments has no maximum in error messages. */
const MANY = 8;

/** The source of one expression. It turns failures into ExpressionErrors. */
export class Source {
  /** The expression as written. */
  readonly text: string;
  readonly #place: string | undefined;

  /** `place` is the place of the expression in the configuration. */
  constructor(text: string, place?: string) {
    this.text = text;
    this.#place = place;
  }

  /** A mistake in the expression itself. */
  problem(range: Range, message: string, options: Details = {}): ExpressionError {
    const { start, end } = range;
    const place = this.#place;
    const code = "invalid-expression";
    return new ExpressionError(this.text, message, { code, start, end, place, ...options });
  }

  /** The text is not an expression. */
  syntaxError(range: Range, message: string): ExpressionError {
    return this.problem(range, message, { code: "expression-syntax" });
  }

  /** The error for a failure. `range` is used where the failure has no place of its own. */
  failed(error: unknown, range: Range = { start: 0, end: this.text.length }): ExpressionError {
    if (error instanceof ExpressionError) return error;
    const subject = `"${snippet(this.text, 120)}" failed`;
    if (error instanceof Failure) {
      const among = error.count > 1 ? ` (the first of ${error.count} items that failed)` : "";
      const message = `${subject}: ${error.message}${among}`;
      return this.problem(error.range ?? range, message, { code: "expression-failed" });
    }
    const what = error instanceof RangeError && /call stack/.test(error.message)
      ? "it is nested too deeply"
      : `it cannot be computed (${error instanceof Error ? error.name : typeof error})`;
    return this.problem(range, `${subject}: ${what}`, { code: "expression-failed", cause: error });
  }

  /** The same function, with `range` as the place of its failures. */
  guard(range: Range, act: FunctionCall): FunctionCall {
    return (meter: Meter, ...values: unknown[]) => {
      try {
        return act(meter, ...values);
      } catch (error) {
        throw this.#placed(range, error);
      }
    };
  }

  #placed(range: Range, error: unknown): unknown {
    if (!(error instanceof Failure)) return this.failed(error, range);
    error.range ??= range;
    return error;
  }

  /** The names of variables that the first arguments of a macro declare. */
  variableNames(nodes: readonly SyntaxNode[]): string[] {
    const names: string[] = [];
    for (const node of nodes) {
      if (node.kind !== "name") {
        throw this.problem(node, "a macro needs the name of a variable here");
      }
      if (names.includes(node.name)) {
        throw this.problem(node, `the variable "${node.name}" is declared twice`);
      }
      names.push(node.name);
    }
    return names;
  }

  /** The place of the function's name in its call. */
  nameOf(node: CallNode, name: string): Range {
    const short = name.slice(name.lastIndexOf(".") + 1);
    const start = this.text.indexOf(short, node.receiver?.end ?? node.start);
    return { start: name === short ? start : node.start, end: start + short.length };
  }
}

/** The mistake in a call with `count` arguments, the receiver included; undefined if none. */
export function wrongCount(
  node: CallNode,
  name: string,
  { minimum, maximum }: FunctionDefinition,
  count: number,
): string | undefined {
  if (count >= minimum && count <= maximum) return undefined;
  // To the author of a method call, the receiver is not an argument.
  const receiver = node.receiver !== undefined && !name.includes(".") ? 1 : 0;
  if (maximum < receiver) return `${name}() is no method: nothing comes before it`;
  const least = minimum - receiver;
  const most = maximum - receiver;
  const amount = minimum === maximum
    ? `${least}`
    : most > MANY
    ? `at least ${least}`
    : `${least} to ${most}`;
  const noun = least === 1 && (most === 1 || most > MANY) ? "argument" : "arguments";
  return `${name}() takes ${amount} ${noun}, got ${count - receiver}`;
}
