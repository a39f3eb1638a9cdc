/**
 * What the expressions of one event may cost. Everything whose work grows with its data counts
 * steps here before it works: a step is about 10 ns of work, or 10 bytes that are kept.
 */

import { Failure } from "./failure.ts";

/** The steps of one event: about 100 ms, and less than 100 MB. */
export const BUDGET = 10_000_000;

/** The key under which a scope carries the meter of its event. */
export const METER: unique symbol = Symbol("meter");

/**
 * The meter that counts what the expressions of a scope's event cost together. Undefined where the
 * scope has none: then each evaluation has its own budget.
 */
export function meterOf(scope: object): Meter | undefined {
  return (scope as { readonly [METER]?: Meter })[METER];
}

/** The event has no steps left. Nothing in an expression recovers from it. */
export class Exhausted extends Failure {
  constructor() {
    super(
      "it needs more steps than the 10 million that the expressions of one event have together " +
        "(items and characters count)",
    );
  }
}

/** Counts the steps of one event, over all of its expressions. */
export class Meter {
  #left: number;

  /** `budget` is how many there are. */
  constructor(budget: number = BUDGET) {
    this.#left = budget;
  }

  /** True where no steps are left: every expression fails from here on. */
  get exhausted(): boolean {
    return this.#left < 0;
  }

  /** How many are left; negative where they did not suffice. */
  get left(): number {
    return this.#left;
  }

  /** Takes a whole number of steps. Throws where none are left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new Exhausted();
  }

  // No shifts here: they cut to 32 bits, and the length that a result would have may be larger.

  /** Characters or bytes that the runtime's own code looks at. */
  scan(characters: number): void {
    this.spend(Math.floor(characters / 8));
  }

  /** Characters or bytes that are made, and kept as long as the result is. */
  make(characters: number): void {
    this.spend(Math.floor(characters / 4));
  }

  /** Items of a list that is made. */
  items(count: number): void {
    this.spend(count * 4);
  }

  /** Adds steps, for what runs once for each of many: a filter for its recipients. */
  grant(steps: number): void {
    this.#left += steps;
  }
}
