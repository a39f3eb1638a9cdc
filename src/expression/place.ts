/** Makes errors that know the expression and the place in it. */

import type { ASTNode } from "@marcbachmann/cel-js";
import { ExpressionError } from "../errors.ts";
import { Failure, snippet } from "./failure.ts";
import type { FunctionDefinition } from "./scope.ts";

/** A range of the source, in characters; `end` is exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

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

  /** Something that failed at `range`; an error that has its place keeps it. */
  located(range: Range, error: unknown): ExpressionError {
    if (error instanceof ExpressionError) return error;
    const what = error instanceof Failure
      ? error.message
      : error instanceof RangeError && /call stack/.test(error.message)
      ? "it is nested too deeply"
      : `it cannot be computed (${error instanceof Error ? error.name : typeof error})`;
    return this.problem(range, `"${snippet(this.text, 120)}" failed: ${what}`, { cause: error });
  }

  /** Something that failed, no part of the expression being to blame. */
  failed(error: unknown): ExpressionError {
    return this.located({ start: 0, end: this.text.length }, error);
  }

  /** The function with a place in its failures. */
  guard<T>(range: Range, act: (...values: unknown[]) => T): (...values: unknown[]) => T {
    return (...values) => {
      try {
        return act(...values);
      } catch (error) {
        throw this.located(range, error);
      }
    };
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
