/**
 * Limits the cost of the expressions of one event. Work that grows with its data spends steps here
 * first. A step is about 10 ns of work, or 10 bytes that are kept.
 */

import { Failure } from "./failure.ts";

/** The steps of one event: about 100 ms of work, and less than 100 MB. */
export const BUDGET = 10_000_000;

/** The key of the event's meter in a scope. */
export const METER: unique symbol = Symbol("meter");

/**
 * The meter that all expressions of the scope's event share. Undefined where the scope has none:
 * then each evaluation has a budget of its own.
 */
export function meterOf(scope: object): Meter | undefined {
  return (scope as { readonly [METER]?: Meter })[METER];
}

/** The event has no steps left. No part of an expression recovers from it. */
export class Exhausted extends Failure {
  constructor() {
    super(
      "it needs more steps than the 10 million that the expressions of one event have together " +
        "(items and characters count)",
    );
  }
}

/** Counts the steps of one event, for all of its expressions. */
export class Meter {
  #left: number;

  /** `budget` is the number of steps. */
  constructor(budget: number = BUDGET) {
    this.#left = budget;
  }

  /** Whether no steps are left. Then every expression fails. */
  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** The steps that are left; negative where they were not enough. */
  get left(): number {
    return this.#left;
  }

  /** Spends a whole number of steps. Throws where too few are left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new Exhausted();
  }

  // No shifts here: they cut to 32 bits, and the length of a result may be larger.

  /** Spends steps for characters or bytes that the runtime's own code reads. */
  scan(characters: number): void {
    this.spend(Math.floor(characters / 8));
  }

  /** Spends steps for characters or bytes of a result. */
  make(characters: number): void {
    this.spend(Math.floor(characters / 4));
  }

  /** Spends steps for the items of a list that is made. */
  items(count: number): void {
    this.spend(count * 4);
  }

  /** Adds steps for something that runs many times, such as a filter for each recipient. */
  grant(steps: number): void {
    this.#left += steps;
  }
}
