/** The types of what an expression runs in, and of the functions it calls. */

import type { Meter } from "./meter.ts";

/** The variables that one evaluation sees: input, output, client, step, constants, … */
export type Scope = Readonly<Record<string, unknown>>;

/** The environment of expressions. It is passed in, never read from a global. */
export interface ExpressionEnvironment {
  /** The value of an environment variable, for `env("NAME")`; undefined where it is not set. */
  readonly env?: ((name: string) => string | undefined) | undefined;
  /** The time in milliseconds since the start of 1970; by default the system clock. */
  readonly now?: (() => number) | undefined;
  /** Fills bytes with random values, for `uuid()` and `random()`; by default those of `crypto`. */
  readonly randomBytes?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
}

/** A compiled piece of an expression; `locals` holds the variables of macros by their slot. */
export type Evaluate = (scope: Scope, locals: unknown[], meter: Meter) => unknown;

/** A function of the language. The receiver of a method call is its first argument. */
export interface FunctionDefinition {
  /** The fewest arguments, the receiver counted. */
  readonly minimum: number;
  /** The most arguments, the receiver counted. */
  readonly maximum: number;
  /** Runs it on evaluated arguments; throws a `Failure` where they make no sense. */
  readonly call: FunctionCall;
  /**
   * Runs at compile time with the arguments that are literals (undefined where they are not).
   * Returns a faster `call`, or throws a `Failure` for a call that can never work.
   */
  readonly prepare?: (literals: readonly unknown[]) => FunctionCall | undefined;
}

/**
 * A function with its arguments evaluated. It spends the steps of its work before it works, where
 * the work grows with the arguments or takes more than a few steps.
 */
export type FunctionCall = (meter: Meter, ...values: unknown[]) => unknown;

/** Functions by name. */
export type Functions = Readonly<Record<string, FunctionDefinition>>;

/** One line of a table of functions. */
export function define(
  minimum: number,
  maximum: number,
  call: FunctionCall,
  prepare?: FunctionDefinition["prepare"],
): FunctionDefinition {
  return prepare === undefined ? { minimum, maximum, call } : { minimum, maximum, call, prepare };
}
