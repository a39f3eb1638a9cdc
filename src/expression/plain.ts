/** Converts results to plain data. */

import { toBase64 } from "./bytes.ts";
import { Failure } from "./failure.ts";
import { Duration, Uint } from "./kinds.ts";
import type { Meter } from "./meter.ts";
import { FIELD, namesOf } from "./values.ts";

/** Steps of each value in a result, its share of the JSON that is made of it included. */
const VALUE = 2;

/**
 * A result as plain data: whole numbers as JS numbers (as text beyond 2^53), timestamps and
 * durations as text, bytes as base64. Plain data is returned as it is, without a copy. A value that
 * occurs several times counts each time, because it is written each time.
 */
export function toPlain(meter: Meter, value: unknown): unknown {
  switch (typeof value) {
    case "string":
      meter.make(value.length);
      return value;
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new Failure("the result is not a finite number");
      return value + 0; // -0 becomes 0
    case "bigint":
      meter.spend(VALUE);
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "object":
      return value === null ? null : plainObject(meter, value);
    default:
      return null;
  }
}

function plainObject(meter: Meter, value: object): unknown {
  if (Array.isArray(value)) return plainList(meter, value);
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    return plainMap(meter, value as Readonly<Record<string, unknown>>);
  }
  if (value instanceof Date) {
    meter.spend(DATE);
    return value.toISOString();
  }
  if (value instanceof Uint8Array) {
    meter.make(3 * value.length);
    return toBase64(value);
  }
  if (value instanceof Duration) {
    meter.spend(DATE);
    return String(value);
  }
  if (value instanceof Uint) return toPlain(meter, value.value);
  const map = value as Readonly<Record<string, unknown>>;
  return copiedMap(meter, map, namesOf(meter, map), 0);
}

/** Steps of writing a timestamp or a duration. */
const DATE = 50;

/** Whether the value is short and plain. A list or map spends the steps for all such at once. */
function isSimple(value: unknown): boolean {
  switch (typeof value) {
    case "string":
      return value.length < VALUE * 4;
    case "number":
      return value > 0 && value < Infinity;
    default:
      return typeof value === "boolean";
  }
}

function plainList(meter: Meter, list: readonly unknown[]): readonly unknown[] {
  meter.spend(VALUE * (list.length + 1));
  for (let i = 0; i < list.length; i++) {
    if (isSimple(list[i])) continue;
    const item = toPlain(meter, list[i]);
    if (!Object.is(item, list[i])) return copiedList(meter, list, i, item);
  }
  return list;
}

/** A copy of the list with plain items; those before `from` are plain already. */
function copiedList(
  meter: Meter,
  list: readonly unknown[],
  from: number,
  first: unknown,
): readonly unknown[] {
  meter.items(list.length);
  const copy = list.slice(0, from);
  copy.push(first);
  for (let i = from + 1; i < list.length; i++) copy.push(toPlain(meter, list[i]));
  return copy;
}

function plainMap(meter: Meter, map: Readonly<Record<string, unknown>>): unknown {
  const names = namesOf(meter, map);
  let characters = 0;
  for (let i = 0; i < names.length; i++) {
    characters += names[i].length;
    const value = map[names[i]];
    if (isSimple(value)) continue;
    const item = toPlain(meter, value);
    if (!Object.is(item, value)) return copiedMap(meter, map, names, i, item);
  }
  meter.spend(VALUE + (characters >> 2));
  return map;
}

/** A plain copy of a map; `first` is the plain value of the name at `from`, where it is known. */
function copiedMap(
  meter: Meter,
  map: Readonly<Record<string, unknown>>,
  names: readonly string[],
  from: number,
  first?: unknown,
): unknown {
  meter.spend(FIELD * names.length);
  // fromEntries defines properties: a key "__proto__" stays plain data.
  return Object.fromEntries(names.map((name, i) => {
    meter.make(name.length);
    if (i < from) return [name, map[name]];
    return [name, i === from && first !== undefined ? first : toPlain(meter, map[name])];
  }));
}
