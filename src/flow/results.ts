/** The results of a run's destinations, which later expressions and the sender see. */
import type { DestinationModel } from "../model/mod.ts";

/** The result of a destination whose `when` was false. */
export const SKIPPED: unique symbol = Symbol("skipped");

/** The result of a destination that has not succeeded yet. */
export const UNSENT: unique symbol = Symbol("unsent");

/** The result of a destination with `each`: a list. */
export class ListResult {
  /** One result for each element so far; null for one that was skipped or returned nothing. */
  readonly list: unknown[] = [];
  /** Whether the destination got an element. */
  written = false;

  /** Adds the result of the next element. One that is not `used` is not kept. */
  add(result: unknown, used: boolean): void {
    if (result !== SKIPPED) this.written = true;
    this.list.push(used ? shown(result) : null);
  }
}

/** The result of a flow without destinations. */
const NO_RESULT = { result: undefined, created: false };

/** The result of the first destination that was not skipped; undefined if there is none. */
export function firstResult(
  to: readonly DestinationModel[],
  results: readonly unknown[],
): { readonly result: unknown; readonly created: boolean } {
  if (to.length === 0) return NO_RESULT;
  const first = results.findIndex((item) => item !== SKIPPED);
  const result = results[first];
  if (result instanceof ListResult) {
    return { result: result.list, created: to[first].creates && result.written };
  }
  return { result, created: first >= 0 && to[first].creates };
}

const NO_RESULTS: readonly unknown[] = [];

/** The first results as expressions see them. */
export function shownResults(results: readonly unknown[], count: number): readonly unknown[] {
  return count === 0 ? NO_RESULTS : results.slice(0, count).map(shown);
}

/** A result as expressions see it: null for one that is nothing or was skipped. */
export function shown(result: unknown): unknown {
  if (result instanceof ListResult) return result.list;
  return result === SKIPPED ? null : result ?? null;
}
