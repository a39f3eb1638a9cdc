/** What an expression is given: types alone, shared by the compiler and its public face. */

import type { Meter } from "./meter.ts";

/** The variables that one evaluation sees: input, output, client, step, constants, … */
export type Scope = Readonly<Record<string, unknown>>;

/** What the world gives to expressions. It is handed in, never read from a global. */
export interface ExpressionEnvironment {
  /** The value of an environment variable, for `env("NAME")`; undefined where it is not set. */
  readonly env?: ((name: string) => string | undefined) | undefined;
  /** The time in milliseconds since the epoch; the system clock by default. */
  readonly now?: (() => number) | undefined;
}

/** A compiled piece of an expression; `locals` holds the variables of macros by their slot. */
export type Evaluate = (scope: Scope, locals: unknown[], meter: Meter) => unknown;

/** A function of the language. A call as a method puts its receiver in front of the arguments. */
export interface FunctionDefinition {
  /** The fewest arguments, the receiver counted. */
  readonly minimum: number;
  /** The most arguments, the receiver counted. */
  readonly maximum: number;
  /** Runs it on evaluated arguments; throws a `Failure` where they make no sense. */
  readonly call: FunctionCall;
  /**
   * Runs at compile time with the arguments that are literals (undefined where they are not).
   * It gives a faster `call`, or throws a `Failure` for a call that can never work.
   */
  readonly prepare?: (literals: readonly unknown[]) => FunctionCall | undefined;
}

/**
 * What a function does with its arguments. Where its work grows with them, or takes longer than a
 * few steps, it takes the steps for it from the meter before it works.
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
