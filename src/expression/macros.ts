/** CEL's macros: calls that evaluate an expression for each item of a list or map. */

import { mapOf } from "./arguments.ts";
import { sortedBy } from "./collections.ts";
import { Failure, KindFailure } from "./failure.ts";
import { kindOf } from "./kinds.ts";
import type { Meter } from "./meter.ts";
import { distinct, FAILURE } from "./nodes.ts";
import type { Evaluate, FunctionCall, Scope } from "./scope.ts";
import { FIELD, field, namesOf, readable } from "./values.ts";

/** A macro that is called on a list or map. */
export interface Macro {
  /** How many variables it declares: one for the item, or two for index and item, key and value. */
  readonly variables: 1 | 2;
  /** How many of its bodies, from the first, must be true or false. */
  readonly predicates: number;
  /** Makes the items from the list or map. */
  readonly items: FunctionCall;
  /** Makes the macro from its items and the bodies behind its variables. */
  readonly expand: (loop: Loop, bodies: readonly Evaluate[]) => Evaluate;
}

/** The items of a macro. */
export interface Loop {
  readonly list: Items;
  /** The slot of its first variable. */
  readonly slot: number;
  /** Whether the items are pairs, for two variables. */
  readonly pairs: boolean;
  /** The steps of each item, beside those of the functions in the bodies. */
  readonly steps: number;
}

/** Returns the items of a macro. */
export type Items = (scope: Scope, locals: unknown[], meter: Meter) => readonly unknown[];

/** One item of a macro with two variables. */
interface Pair {
  /** The index in a list, the name in a map. */
  readonly key: unknown;
  readonly value: unknown;
}

/** Steps of making a pair. */
const PAIR = 20;

/** The items of a list, the names of a map. */
function itemsOf(meter: Meter, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (kindOf(value) === "map") return namesOf(meter, value as object);
  throw new KindFailure(`a macro needs a list or a map, got ${kindOf(value)}`);
}

/** The indexes and items of a list, the names and values of a map. */
function pairsOf(meter: Meter, value: unknown): readonly Pair[] {
  const items = itemsOf(meter, value);
  meter.spend(PAIR * items.length);
  return items === value
    ? items.map((item, index) => ({ key: BigInt(index), value: readable(item) }))
    : items.map((name) => ({ key: name, value: field(value, String(name)) }));
}

/** Sets the variables of a macro to an item. */
function assign(locals: unknown[], { slot, pairs }: Loop, item: unknown): void {
  if (!pairs) {
    locals[slot] = readable(item);
    return;
  }
  const { key, value } = item as Pair;
  locals[slot] = key;
  locals[slot + 1] = value;
}

/**
 * Looks for an item with `wanted` as the value of the predicate. As in CEL, an item that fails makes
 * the macro fail only where no other item decides it.
 */
function search(loop: Loop, predicate: Evaluate, wanted: boolean): Evaluate {
  const { list, steps } = loop;
  return (scope, locals, meter) => {
    let first: Failure | undefined;
    for (const item of list(scope, locals, meter)) {
      assign(locals, loop, item);
      meter.spend(steps);
      try {
        if (predicate(scope, locals, meter) === wanted) return wanted;
      } catch (error) {
        if (!(error instanceof Failure) || meter.exhausted) throw error;
        meter.spend(FAILURE);
        if (first === undefined) first = error;
        else first.count++;
      }
    }
    if (first !== undefined) throw first;
    return !wanted;
  };
}

/** The items with true as the value of the predicate, or `transform` of each. */
function select(loop: Loop, predicate?: Evaluate, transform?: Evaluate): Evaluate {
  const { list, slot, steps } = loop;
  return (scope, locals, meter) => {
    const results: unknown[] = [];
    for (const item of list(scope, locals, meter)) {
      assign(locals, loop, item);
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

/** A map with the same names, or indexes as names, and `transform` of each value. */
function transformMap(loop: Loop, transform: Evaluate, predicate?: Evaluate): Evaluate {
  const entry: Evaluate = (scope, locals, meter) => {
    meter.spend(FIELD);
    return [locals[loop.slot], transform(scope, locals, meter)];
  };
  const entries = select(loop, predicate, entry);
  return (scope, locals, meter) =>
    // fromEntries defines properties: a key "__proto__" stays plain data.
    Object.fromEntries(entries(scope, locals, meter) as [string, unknown][]);
}

/** One map of all entries, which are maps themselves. */
function transformMapEntry(loop: Loop, transform: Evaluate, predicate?: Evaluate): Evaluate {
  const entries = select(loop, predicate, (scope, locals, meter) => {
    const entry = mapOf("transformMapEntry", transform(scope, locals, meter));
    const names = namesOf(meter, entry);
    meter.spend(FIELD * names.length);
    return names.map((name) => [name, entry[name]]);
  });
  return (scope, locals, meter) => {
    const pairs = (entries(scope, locals, meter) as [string, unknown][][]).flat();
    return distinct(meter, Object.fromEntries(pairs), pairs.length);
  };
}

function sortBy(loop: Loop, key: Evaluate): Evaluate {
  const { list, steps } = loop;
  return (scope, locals, meter) =>
    sortedBy("sortBy", meter, list(scope, locals, meter), (item) => {
      assign(locals, loop, item);
      meter.spend(steps);
      return key(scope, locals, meter);
    });
}

/** The macros that are called on a list or map, by name and number of arguments. */
export const MACROS: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ["all/2", one(1, (loop, [predicate]) => search(loop, predicate, false))],
  ["all/3", two(1, (loop, [predicate]) => search(loop, predicate, false))],
  ["exists/2", one(1, (loop, [predicate]) => search(loop, predicate, true))],
  ["exists/3", two(1, (loop, [predicate]) => search(loop, predicate, true))],
  ["exists_one/2", one(1, (loop, [predicate]) => existsOne(loop, predicate))],
  ["exists_one/3", two(1, (loop, [predicate]) => existsOne(loop, predicate))],
  ["existsOne/2", one(1, (loop, [predicate]) => existsOne(loop, predicate))],
  ["existsOne/3", two(1, (loop, [predicate]) => existsOne(loop, predicate))],
  ["filter/2", one(1, (loop, [predicate]) => select(loop, predicate))],
  ["map/2", one(0, (loop, [transform]) => select(loop, undefined, transform))],
  ["map/3", one(1, (loop, [test, transform]) => select(loop, test, transform))],
  ["transformList/3", two(0, (loop, [transform]) => select(loop, undefined, transform))],
  ["transformList/4", two(1, (loop, [test, transform]) => select(loop, test, transform))],
  ["transformMap/3", two(0, (loop, [transform]) => transformMap(loop, transform))],
  ["transformMap/4", two(1, (loop, [test, transform]) => transformMap(loop, transform, test))],
  ["transformMapEntry/3", two(0, (loop, [entry]) => transformMapEntry(loop, entry))],
  ["transformMapEntry/4", two(1, (loop, [test, entry]) => transformMapEntry(loop, entry, test))],
  ["sortBy/2", one(0, (loop, [key]) => sortBy(loop, key))],
]);

/** A macro with one variable. */
function one(predicates: number, expand: Macro["expand"]): Macro {
  return { variables: 1, predicates, items: itemsOf, expand };
}

/** A macro with two variables. */
function two(predicates: number, expand: Macro["expand"]): Macro {
  return { variables: 2, predicates, items: pairsOf, expand };
}

/** The names of all macros. */
export const MACRO_NAMES: readonly string[] = [
  "has",
  "cel.bind",
  ...new Set([...MACROS.keys()].map((key) => key.slice(0, key.indexOf("/")))),
];
