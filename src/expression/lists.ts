/** Functions on lists and sets. None changes its argument. */

import { countOf, listOf, stringOf } from "./arguments.ts";
import { Failure, kindOf } from "./failure.ts";
import { add, divide, isNumeric, less } from "./operators.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";
import { reverseString } from "./strings.ts";
import { field, identity, readable } from "./values.ts";

/** The longest list that `lists.range` makes. */
const LONGEST_RANGE = 100_000;

function unique(list: readonly unknown[]): unknown[] {
  const seen = new Map<string, unknown>();
  for (const item of list) {
    const key = identity(item);
    if (!seen.has(key)) seen.set(key, item);
  }
  return [...seen.values()];
}

/** Flattens lists in the list, one level unless told otherwise. */
function flatten(list: readonly unknown[], depth: number): unknown[] {
  return list.flat(depth as 1);
}

/** Numbers, or strings, or booleans, from small to large; null comes last. */
function compare(name: string, a: unknown, b: unknown): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (kindOf(a) !== kindOf(b)) {
    throw new Failure(`${name}() cannot order ${kindOf(a)} and ${kindOf(b)}`);
  }
  return less(a, b) ? -1 : less(b, a) ? 1 : 0;
}

/** The items by their keys, from small to large; items with equal keys keep their order. */
export function sortedBy(
  name: string,
  list: readonly unknown[],
  key: (item: unknown) => unknown,
): unknown[] {
  const keyed = list.map((item) => ({ item, key: readable(key(item)) }));
  return keyed.sort((a, b) => compare(name, a.key, b.key)).map(({ item }) => item);
}

function sum(name: string, list: readonly unknown[]): unknown {
  return list.reduce((total, item) => {
    if (!isNumeric(item)) throw new Failure(`${name}() needs numbers, got ${kindOf(item)}`);
    return add(total, item);
  }, 0n);
}

function average(list: readonly unknown[]): unknown {
  return list.length === 0 ? null : divide(sum("avg", list), list.length);
}

/** The item that is `wanted` (-1 the least, 1 the greatest); null for an empty list. */
function extreme(name: string, list: readonly unknown[], wanted: -1 | 1): unknown {
  const [start = null, ...rest] = list;
  return rest.reduce((best, item) => {
    if (item === null || best === null) throw new Failure(`${name}() cannot order null`);
    return compare(name, item, best) === wanted ? item : best;
  }, start);
}

/** A function of one list. */
function onList(name: string, act: (list: readonly unknown[]) => unknown): FunctionDefinition {
  return define(1, 1, (list) => act(listOf(name, list)));
}

/** A function of two lists as sets, by the identities of their items. */
function onSets(name: string, act: (a: Set<string>, b: Set<string>) => boolean) {
  return define(2, 2, (a, b) =>
    act(
      new Set(listOf(name, a).map(identity)),
      new Set(listOf(name, b).map(identity)),
    ));
}

function reverse(value: unknown): unknown {
  return typeof value === "string" ? reverseString(value) : [...listOf("reverse", value)].reverse();
}

function range(count: unknown): unknown[] {
  const length = countOf("lists.range", count);
  if (length > LONGEST_RANGE) throw new Failure(`lists.range() makes at most ${LONGEST_RANGE}`);
  return Array.from({ length }, (_, i) => BigInt(i));
}

function asList(value: unknown): unknown {
  return value === null ? [] : Array.isArray(value) ? value : [value];
}

/** All functions of this file. */
export const LIST_FUNCTIONS: Functions = {
  as_list: define(1, 1, asList),
  first: onList("first", (list) => readable(list[0])),
  last: onList("last", (list) => readable(list[list.length - 1])),
  flatten: define(1, 2, (list, depth = 1) =>
    flatten(
      listOf("flatten", list),
      countOf("flatten", depth),
    )),
  unique: onList("unique", unique),
  distinct: onList("distinct", unique),
  reverse: define(1, 1, reverse),
  slice: define(3, 3, (list, start, end) =>
    listOf("slice", list).slice(
      countOf("slice", start),
      countOf("slice", end),
    )),
  sort: onList("sort", (list) => sortedBy("sort", list, (item) => item)),
  sort_by: define(2, 2, (list, name) => {
    const by = stringOf("sort_by", name);
    return sortedBy("sort_by", listOf("sort_by", list), (item) => field(item, by));
  }),
  pluck: define(2, 2, (list, name) => {
    const wanted = stringOf("pluck", name);
    return listOf("pluck", list).map((item) => field(item, wanted));
  }),
  sum: onList("sum", (list) => sum("sum", list)),
  avg: onList("avg", average),
  min_val: onList("min_val", (list) => extreme("min_val", list, -1)),
  max_val: onList("max_val", (list) => extreme("max_val", list, 1)),
  "lists.range": define(1, 1, range),
  "sets.contains": onSets("sets.contains", (a, b) => [...b].every((item) => a.has(item))),
  "sets.equivalent": onSets(
    "sets.equivalent",
    (a, b) => a.size === b.size && [...b].every((item) => a.has(item)),
  ),
  "sets.intersects": onSets("sets.intersects", (a, b) => [...b].some((item) => a.has(item))),
};
