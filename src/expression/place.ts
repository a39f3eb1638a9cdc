/** Makes errors that know the expression and the place in it. */

import type { ASTNode } from "@marcbachmann/cel-js";
import { ExpressionError } from "../base/errors.ts";
import { Failure, type Range, snippet } from "./failure.ts";
import type { Meter } from "./meter.ts";
import type { FunctionCall, FunctionDefinition } from "./scope.ts";

/** What an error says beside its message. */
interface Details extends ErrorOptions {
  /** A name that was meant, where one is close. */
  readonly hint?: string | undefined;
}

/** A function call in the syntax tree. */
export type CallNode = Extract<ASTNode, { op: "call" | "rcall" }>;

/** From this many arguments on, a function takes as many as one likes. */
const MANY = 8;

/** The source of one expression, which turns what goes wrong into an ExpressionError. */
export class Source {
  /** The expression as written. */
  readonly text: string;
  readonly #place: string | undefined;

  /** `place` says where the expression stands. */
  constructor(text: string, place?: string) {
    this.text = text;
    this.#place = place;
  }

  /** A mistake in the expression itself. */
  problem(range: Range, message: string, options: Details = {}): ExpressionError {
    const { start, end } = range;
    return new ExpressionError(this.text, message, { start, end, place: this.#place, ...options });
  }

  /** Something that failed, at `range` where it has no place yet. */
  failed(error: unknown, range: Range = { start: 0, end: this.text.length }): ExpressionError {
    if (error instanceof ExpressionError) return error;
    const subject = `"${snippet(this.text, 120)}" failed`;
    if (error instanceof Failure) {
      const among = error.count > 1 ? ` (the first of ${error.count} items that failed)` : "";
      return this.problem(error.range ?? range, `${subject}: ${error.message}${among}`);
    }
    const what = error instanceof RangeError && /call stack/.test(error.message)
      ? "it is nested too deeply"
      : `it cannot be computed (${error instanceof Error ? error.name : typeof error})`;
    return this.problem(range, `${subject}: ${what}`, { cause: error });
  }

  /** The function with a place in its failures. */
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

  /** The name of the variable that a macro's first argument is. */
  variableName(node: ASTNode): string {
    if (node.op === "id") return node.args;
    throw this.problem(node, "a macro's first argument is the name of its variable");
  }

  /** The place of the function's name in its call. */
  nameOf(node: CallNode, name: string): Range {
    const short = name.slice(name.lastIndexOf(".") + 1);
    const from = node.op === "rcall" ? node.args[1].end : node.start;
    const start = this.text.indexOf(short, from);
    return { start: name === short ? start : node.start, end: start + short.length };
  }
}

/** What is wrong with a call of `count` arguments, the receiver counted; undefined if nothing. */
export function wrongCount(
  node: CallNode,
  name: string,
  { minimum, maximum }: FunctionDefinition,
  count: number,
): string | undefined {
  if (count >= minimum && count <= maximum) return undefined;
  // Who calls a method does not count its receiver.
  const receiver = node.op === "rcall" && !name.includes(".") ? 1 : 0;
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
