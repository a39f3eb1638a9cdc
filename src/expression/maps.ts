/** Functions on maps. Results are built by defining properties: "__proto__" stays plain data. */

import { mapOf, stringOf } from "./arguments.ts";
import { define, type Functions } from "./scope.ts";

/** The most arguments that a call may have; the parser's own limit. */
const MANY = 32;

/** The names given one by one or as one list. */
function namesOf(name: string, values: readonly unknown[]): Set<string> {
  const names = values.flatMap((value) => Array.isArray(value) ? value : [value]);
  return new Set(names.map((value) => stringOf(name, value)));
}

function keep(map: Readonly<Record<string, unknown>>, wanted: (name: string) => boolean) {
  return Object.fromEntries(Object.entries(map).filter(([name]) => wanted(name)));
}

/** One map of all; of two equal names the later one stands. */
function merge(...values: unknown[]): unknown {
  return Object.fromEntries(values.flatMap((value) => Object.entries(mapOf("merge", value))));
}

/** The first value that is not null; null where all are. */
function coalesce(...values: unknown[]): unknown {
  return values.find((value) => value !== null) ?? null;
}

/** All functions of this file. */
export const MAP_FUNCTIONS: Functions = {
  default: define(2, 2, coalesce),
  coalesce: define(1, MANY, coalesce),
  merge: define(1, MANY, merge),
  omit: define(2, MANY, (map, ...values) => {
    const names = namesOf("omit", values);
    return keep(mapOf("omit", map), (name) => !names.has(name));
  }),
  pick: define(2, MANY, (map, ...values) => {
    const names = namesOf("pick", values);
    return keep(mapOf("pick", map), (name) => names.has(name));
  }),
};
