/** Functions on maps. Results are built by defining properties: "__proto__" stays plain data. */

import { mapOf, stringOf } from "./arguments.ts";
import type { Meter } from "./meter.ts";
import { define, type Functions } from "./scope.ts";
import { FIELD, namesOf as fieldsOf } from "./values.ts";

/** What building any map takes. */
const CALL = 60;

/** The most arguments that a call may have; the parser's own limit. */
const MANY = 32;

/** The names given one by one or as one list. */
function namesOf(meter: Meter, name: string, values: readonly unknown[]): Set<string> {
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
  const names = fieldsOf(meter, map);
  meter.spend(CALL + FIELD * names.length);
  return names.map((name) => [name, map[name]]);
}

/** One map of all; of two equal names the later one stands. */
function merge(meter: Meter, ...values: unknown[]): unknown {
  return Object.fromEntries(values.flatMap((value) => entriesOf(meter, mapOf("merge", value))));
}

/** The first value that is not null; null where all are. */
function coalesce(_meter: Meter, ...values: unknown[]): unknown {
  return values.find((value) => value !== null) ?? null;
}

/** All functions of this file. */
export const MAP_FUNCTIONS: Functions = {
  default: define(2, 2, coalesce),
  coalesce: define(1, MANY, coalesce),
  merge: define(1, MANY, merge),
  omit: define(2, MANY, (meter, map, ...values) => {
    const names = namesOf(meter, "omit", values);
    return keep(meter, mapOf("omit", map), (name) => !names.has(name));
  }),
  pick: define(2, MANY, (meter, map, ...values) => {
    const names = namesOf(meter, "pick", values);
    return keep(meter, mapOf("pick", map), (name) => names.has(name));
  }),
};
