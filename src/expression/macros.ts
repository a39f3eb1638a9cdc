/** CEL's macros: what a call does with an expression that it runs once for every item. */

import { Failure, kindOf } from "./failure.ts";
import { sortedBy } from "./lists.ts";
import type { Meter } from "./meter.ts";
import type { Evaluate, Scope } from "./scope.ts";
import { namesOf, readable } from "./values.ts";

/** A macro that is called on a list. */
export interface Macro {
  /** How many of its bodies, from the first, must be true or false. */
  readonly predicates: number;
  /** Makes it of what it runs over, and the bodies behind its variable. */
  readonly expand: (loop: Loop, bodies: readonly Evaluate[]) => Evaluate;
}

/** What a macro runs over. */
export interface Loop {
  readonly list: Items;
  /** The slot of its variable. */
  readonly slot: number;
  /** The steps that each item takes, beside those of the functions in the bodies. */
  readonly steps: number;
  /** The steps that an item takes which fails. */
  readonly failure: number;
}

/** Gives the items that a macro runs over. */
export type Items = (scope: Scope, locals: unknown[], meter: Meter) => readonly unknown[];

/** The items of a list, the names of a map. */
export function itemsOf(meter: Meter, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (kindOf(value) === "map") return namesOf(meter, value as object);
  throw new Failure(`a macro runs over a list or a map, got ${kindOf(value)}`);
}

/**
 * Looks for an item for which the predicate is `wanted`. As in CEL, an item that fails spoils the
 * answer only where no other item decides it.
 */
function search(
  { list, slot, steps, failure }: Loop,
  predicate: Evaluate,
  wanted: boolean,
): Evaluate {
  return (scope, locals, meter) => {
    let first: Failure | undefined;
    for (const item of list(scope, locals, meter)) {
      locals[slot] = readable(item);
      meter.spend(steps);
      try {
        if (predicate(scope, locals, meter) === wanted) return wanted;
      } catch (error) {
        if (!(error instanceof Failure) || meter.exhausted) throw error;
        meter.spend(failure);
        if (first === undefined) first = error;
        else first.count++;
      }
    }
    if (first !== undefined) throw first;
    return !wanted;
  };
}

/** Gives the items for which the predicate is true, turned by `transform`. */
function select(
  { list, slot, steps }: Loop,
  predicate?: Evaluate,
  transform?: Evaluate,
): Evaluate {
  return (scope, locals, meter) => {
    const results: unknown[] = [];
    for (const item of list(scope, locals, meter)) {
      locals[slot] = readable(item);
      meter.spend(steps);
      if (predicate !== undefined && predicate(scope, locals, meter) !== true) continue;
      meter.items(1);
      results.push(transform === undefined ? locals[slot] : transform(scope, locals, meter));
    }
    return results;
  };
}

function existsOne(loop: Loop, predicate: Evaluate): Evaluate {
  const matching = select(loop, predicate);
  return (scope, locals, meter) => (matching(scope, locals, meter) as unknown[]).length === 1;
}

function sortBy({ list, slot, steps }: Loop, key: Evaluate): Evaluate {
  return (scope, locals, meter) =>
    sortedBy("sortBy", meter, list(scope, locals, meter), (item) => {
      locals[slot] = readable(item);
      meter.spend(steps);
      return key(scope, locals, meter);
    });
}

/** The macros that are called on a list, by name and number of arguments. */
export const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ["all/2", macro(1, (loop, [predicate]) => search(loop, predicate, false))],
  ["exists/2", macro(1, (loop, [predicate]) => search(loop, predicate, true))],
  ["exists_one/2", macro(1, (loop, [predicate]) => existsOne(loop, predicate))],
  ["filter/2", macro(1, (loop, [predicate]) => select(loop, predicate))],
  ["map/2", macro(0, (loop, [transform]) => select(loop, undefined, transform))],
  ["map/3", macro(1, (loop, [test, transform]) => select(loop, test, transform))],
  ["sortBy/2", macro(0, (loop, [key]) => sortBy(loop, key))],
]);

function macro(predicates: number, expand: Macro["expand"]): Macro {
  return { predicates, expand };
}

/** The names of all macros. */
export const MACRO_NAMES: readonly string[] = [
  "has",
  "cel.bind",
  ...new Set([...MACROS.keys()].map((key) => key.slice(0, key.indexOf("/")))),
];
