/** CEL's macros: what a call does with an expression that it runs once for every item. */

import { Failure, kindOf } from "./failure.ts";
import { sortedBy } from "./lists.ts";
import type { Evaluate, Scope } from "./scope.ts";
import { readable } from "./values.ts";

/** A macro that is called on a list. */
export interface Macro {
  /** How many of its bodies, from the first, must be true or false. */
  readonly predicates: number;
  /** Makes it of the list, the slot of its variable, and the bodies behind the variable. */
  readonly expand: (list: Items, slot: number, bodies: readonly Evaluate[]) => Evaluate;
}

/** Gives the items that a macro runs over. */
export type Items = (scope: Scope, locals: unknown[]) => readonly unknown[];

/** The items of a list, the names of a map. */
export function itemsOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (kindOf(value) === "map") return Object.keys(value as object);
  throw new Failure(`a macro runs over a list or a map, got ${kindOf(value)}`);
}

/**
 * Looks for an item for which the predicate is `wanted`. As in CEL, an item that fails spoils the
 * answer only where no other item decides it.
 */
function search(list: Items, slot: number, predicate: Evaluate, wanted: boolean): Evaluate {
  return (scope, locals) => {
    const failures: unknown[] = [];
    for (const item of list(scope, locals)) {
      locals[slot] = readable(item);
      try {
        if (predicate(scope, locals) === wanted) return wanted;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return !wanted;
  };
}

/** Gives the items for which the predicate is true, turned by `transform`. */
function select(list: Items, slot: number, predicate?: Evaluate, transform?: Evaluate): Evaluate {
  return (scope, locals) => {
    const results: unknown[] = [];
    for (const item of list(scope, locals)) {
      locals[slot] = readable(item);
      if (predicate !== undefined && predicate(scope, locals) !== true) continue;
      results.push(transform === undefined ? locals[slot] : transform(scope, locals));
    }
    return results;
  };
}

function existsOne(list: Items, slot: number, predicate: Evaluate): Evaluate {
  const matching = select(list, slot, predicate);
  return (scope, locals) => (matching(scope, locals) as unknown[]).length === 1;
}

function sortBy(list: Items, slot: number, key: Evaluate): Evaluate {
  return (scope, locals) =>
    sortedBy("sortBy", list(scope, locals), (item) => {
      locals[slot] = readable(item);
      return key(scope, locals);
    });
}

/** The macros that are called on a list, by name and number of arguments. */
export const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ["all/2", macro(1, (list, slot, [predicate]) => search(list, slot, predicate, false))],
  ["exists/2", macro(1, (list, slot, [predicate]) => search(list, slot, predicate, true))],
  ["exists_one/2", macro(1, (list, slot, [predicate]) => existsOne(list, slot, predicate))],
  ["filter/2", macro(1, (list, slot, [predicate]) => select(list, slot, predicate))],
  ["map/2", macro(0, (list, slot, [transform]) => select(list, slot, undefined, transform))],
  ["map/3", macro(1, (list, slot, [test, transform]) => select(list, slot, test, transform))],
  ["sortBy/2", macro(0, (list, slot, [key]) => sortBy(list, slot, key))],
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
