/**
 * Functions on lists, sets and maps. None changes its argument. Maps are built by defining
 * properties: "__proto__" stays plain data.
 */

import { countOf, listOf, mapOf, stringOf } from "./arguments.ts";
import { Failure, KindFailure } from "./failure.ts";
import { isNumeric, kindOf, textual } from "./kinds.ts";
import type { Meter } from "./meter.ts";
import { add, divide, less } from "./operators.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";
import { MOST_ARGUMENTS } from "./syntax.ts";
import { reversed } from "./characters.ts";
import { FIELD, field, identity, namesOf, readable } from "./values.ts";

/** The longest list that `lists.range` makes. */
const LONGEST_RANGE = 100_000;

/** Steps of making an int: it is a bigint. */
const INT = 10;

/** Steps of making a table of texts, beside its entries. */
const TABLE = 150;

/** Steps of comparing two items of a list. */
const COMPARISON = 3;

function unique(meter: Meter, list: readonly unknown[]): unknown[] {
  const seen = new Map<string, unknown>();
  meter.spend(TABLE);
  for (const item of list) {
    const key = identity(meter, item);
    if (seen.has(key)) continue;
    meter.items(1);
    seen.set(key, item);
  }
  return [...seen.values()];
}

/** Puts the items of the lists in `list` into one list, to a depth of `depth` levels. */
function flatten(meter: Meter, list: readonly unknown[], depth: number, into: unknown[] = []) {
  meter.items(list.length + 1);
  for (const item of list) {
    if (depth > 0 && Array.isArray(item)) flatten(meter, item, depth - 1, into);
    else into.push(item);
  }
  return into;
}

/** Orders numbers, strings or booleans from small to large; null comes last. */
function compare(meter: Meter, name: string, a: unknown, b: unknown): number {
  meter.spend(COMPARISON);
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : b < a ? 1 : 0;
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (kindOf(a) !== kindOf(b) && kindOf(textual(a)) !== kindOf(textual(b))) {
    throw new KindFailure(`${name}() cannot order ${kindOf(a)} and ${kindOf(b)}`);
  }
  return less(meter, a, b) ? -1 : less(meter, b, a) ? 1 : 0;
}

/** The items sorted by their keys, from small to large. Items with equal keys keep their order. */
export function sortedBy(
  name: string,
  meter: Meter,
  list: readonly unknown[],
  key: (item: unknown) => unknown,
): unknown[] {
  // The sort keeps each item three times.
  meter.items(3 * list.length);
  const keyed = list.map((item) => ({ item, key: readable(key(item)) }));
  return keyed.sort((a, b) => compare(meter, name, a.key, b.key)).map(({ item }) => item);
}

function sum(meter: Meter, name: string, list: readonly unknown[]): unknown {
  let total: unknown = 0n;
  for (const item of list) {
    meter.spend(2);
    if (!isNumeric(item)) throw new KindFailure(`${name}() needs numbers, got ${kindOf(item)}`);
    total = add(meter, total, item);
  }
  return total;
}

function average(meter: Meter, list: readonly unknown[]): unknown {
  return list.length === 0 ? null : divide(meter, sum(meter, "avg", list), list.length);
}

/** The least item (`wanted` is -1) or the greatest (1); null for an empty list. */
function extreme(meter: Meter, name: string, list: readonly unknown[], wanted: -1 | 1): unknown {
  let best: unknown = list[0] ?? null;
  for (let i = 1; i < list.length; i++) {
    const item = list[i];
    if (item === null || best === null) throw new Failure(`${name}() cannot order null`);
    if (compare(meter, name, item, best) === wanted) best = item;
  }
  return best;
}

/** A function of one list. */
function onList(
  name: string,
  act: (meter: Meter, list: readonly unknown[]) => unknown,
): FunctionDefinition {
  return define(1, 1, (meter, list) => act(meter, listOf(name, list)));
}

/** A function of two lists as sets. */
function onSets(name: string, act: (a: Set<string>, b: Set<string>) => boolean) {
  const setOf = (meter: Meter, list: unknown) => {
    const items = listOf(name, list);
    meter.items(items.length);
    meter.spend(TABLE);
    return new Set(items.map((item) => identity(meter, item)));
  };
  return define(2, 2, (meter, a, b) => act(setOf(meter, a), setOf(meter, b)));
}

function reverse(meter: Meter, value: unknown): unknown {
  const text = textual(value);
  if (typeof text === "string") return reversed(meter, text);
  const list = listOf("reverse", value);
  meter.items(list.length);
  return [...list].reverse();
}

function slice(meter: Meter, value: unknown, from: unknown, to: unknown): unknown[] {
  const list = listOf("slice", value);
  const start = countOf("slice", from);
  const end = Math.min(countOf("slice", to), list.length);
  meter.items(Math.max(0, end - start));
  return list.slice(start, end);
}

function range(meter: Meter, count: unknown): unknown[] {
  const length = countOf("lists.range", count);
  if (length > LONGEST_RANGE) {
    throw new Failure(`lists.range() makes at most ${LONGEST_RANGE} items`);
  }
  meter.spend(INT * (length + 1));
  const list: unknown[] = [];
  for (let i = 0n; i < length; i++) list.push(i);
  return list;
}

function asList(_meter: Meter, value: unknown): unknown {
  return value === null ? [] : Array.isArray(value) ? value : [value];
}

/** Steps of building a map, beside its fields. */
const MAP = 60;

/** The names, which are arguments of their own or one list. */
function wantedNames(meter: Meter, name: string, values: readonly unknown[]): Set<string> {
  const names = values.flatMap((value) => Array.isArray(value) ? value : [value]);
  meter.spend(FIELD * names.length);
  return new Set(names.map((value) => stringOf(name, value)));
}

function keep(
  meter: Meter,
  map: Readonly<Record<string, unknown>>,
  wanted: (name: string) => boolean,
) {
  return Object.fromEntries(entriesOf(meter, map).filter(([name]) => wanted(name)));
}

function entriesOf(meter: Meter, map: Readonly<Record<string, unknown>>): [string, unknown][] {
  const names = namesOf(meter, map);
  meter.spend(MAP + FIELD * names.length);
  return names.map((name) => [name, map[name]]);
}

/** One map with the fields of all. The last one wins where names are equal. */
function merge(meter: Meter, ...values: unknown[]): unknown {
  return Object.fromEntries(values.flatMap((value) => entriesOf(meter, mapOf("merge", value))));
}

/** The first value that is not null; null where all are. */
function coalesce(_meter: Meter, ...values: unknown[]): unknown {
  return values.find((value) => value !== null) ?? null;
}

/** The functions on lists and sets. */
export const LIST_FUNCTIONS: Functions = {
  as_list: define(1, 1, asList),
  first: onList("first", (_meter, list) => readable(list[0])),
  last: onList("last", (_meter, list) => readable(list[list.length - 1])),
  flatten: define(
    1,
    2,
    (meter, list, depth = 1) => flatten(meter, listOf("flatten", list), countOf("flatten", depth)),
  ),
  unique: onList("unique", unique),
  distinct: onList("distinct", unique),
  reverse: define(1, 1, reverse),
  slice: define(3, 3, slice),
  sort: onList("sort", (meter, list) => sortedBy("sort", meter, list, (item) => item)),
  sort_by: define(2, 2, (meter, list, name) => {
    const by = stringOf("sort_by", name);
    return sortedBy("sort_by", meter, listOf("sort_by", list), (item) => field(item, by));
  }),
  pluck: define(2, 2, (meter, list, name) => {
    const wanted = stringOf("pluck", name);
    const items = listOf("pluck", list);
    meter.items(items.length);
    return items.map((item) => field(item, wanted));
  }),
  sum: onList("sum", (meter, list) => sum(meter, "sum", list)),
  avg: onList("avg", average),
  min_val: onList("min_val", (meter, list) => extreme(meter, "min_val", list, -1)),
  max_val: onList("max_val", (meter, list) => extreme(meter, "max_val", list, 1)),
  "lists.range": define(1, 1, range),
  "sets.contains": onSets("sets.contains", (a, b) => [...b].every((item) => a.has(item))),
  "sets.equivalent": onSets(
    "sets.equivalent",
    (a, b) => a.size === b.size && [...b].every((item) => a.has(item)),
  ),
  "sets.intersects": onSets("sets.intersects", (a, b) => [...b].some((item) => a.has(item))),
};

/** The functions on maps. */
export const MAP_FUNCTIONS: Functions = {
  default: define(2, 2, coalesce),
  coalesce: define(1, MOST_ARGUMENTS, coalesce),
  merge: define(1, MOST_ARGUMENTS, merge),
  omit: define(2, MOST_ARGUMENTS, (meter, map, ...values) => {
    const names = wantedNames(meter, "omit", values);
    return keep(meter, mapOf("omit", map), (name) => !names.has(name));
  }),
  pick: define(2, MOST_ARGUMENTS, (meter, map, ...values) => {
    const names = wantedNames(meter, "pick", values);
    return keep(meter, mapOf("pick", map), (name) => names.has(name));
  }),
};
