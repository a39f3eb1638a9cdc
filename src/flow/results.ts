/** The results of a run's destinations, which later expressions and the sender see. */
import type { DestinationModel } from "../model/mod.ts";
import type { Run } from "./run.ts";

/** The result of a destination whose `when` was false. */
export const SKIPPED: unique symbol = Symbol("skipped");

/** The result of a destination that has not succeeded yet. */
export const UNSENT: unique symbol = Symbol("unsent");

/** Whether a destination has succeeded, or has been skipped. */
export function isDone({ results }: Run, position: number): boolean {
  return results.length > position && results[position] !== UNSENT;
}

/** The result of a flow without destinations. */
const NO_RESULT = { result: undefined, created: false };

/** The result of the first destination that was not skipped; undefined if there is none. */
export function firstResult(
  to: readonly DestinationModel[],
  { results }: Run,
): { readonly result: unknown; readonly created: boolean } {
  if (to.length === 0) return NO_RESULT;
  const first = results.findIndex((item) => item !== SKIPPED);
  return { result: results[first], created: first >= 0 && to[first].creates };
}

const NO_RESULTS: readonly unknown[] = [];

/** The results of all destinations; null for those that returned nothing or were skipped. */
export function allResults({ results }: Run): readonly unknown[] {
  if (results.length === 0) return NO_RESULTS;
  return results.map((item) => item === SKIPPED ? null : item ?? null);
}
