/** Reads and compares values. Data is never trusted: only own properties count. */

import { KindFailure } from "./failure.ts";
import {
  type Duration,
  isNumeric,
  kindOf,
  Moment,
  nanosecondsOf,
  type Numeric,
  textual,
  type Uint,
} from "./kinds.ts";
import type { Meter } from "./meter.ts";

/** A value as expressions see it: undefined, a function or a symbol reads as null. */
export function readable(value: unknown): unknown {
  return value === undefined || typeof value === "function" || typeof value === "symbol"
    ? null
    : value;
}

/** A field of a map; null where `value` has none, or is not a map. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
  if (Array.isArray(value) || value instanceof Uint8Array) return null;
  return readable((value as Record<string, unknown>)[name]);
}

/** Throws the Failure for a value that cannot be a key. */
export function refuseKey(_meter: Meter, key: unknown): never {
  throw new KindFailure(`a key must be a string, a number, true or false, got ${kindOf(key)}`);
}

/** Steps of writing a number as the name of a field, and of a search for a computed name. */
const NUMBER = 60;
const COMPUTED = 4;

/** Whether the value can be a key of a map or an index: a string, a number, true or false. */
export function isKey(value: unknown): value is string | boolean | Numeric | Moment {
  return typeof value === "string" || typeof value === "boolean" || isNumeric(value) ||
    value instanceof Moment;
}

/** The name of the field that a key selects in a map. */
export function nameOf(meter: Meter, key: unknown): string {
  meter.spend(typeof key === "string" ? COMPUTED : NUMBER);
  return String(key);
}

/** An element of a list or a field of a map; null where there is none. */
export function element(meter: Meter, value: unknown, key: unknown): unknown {
  if (typeof key === "string") return field(value, nameOf(meter, key));
  if (!isKey(key)) return null;
  if (!Array.isArray(value)) return field(value, nameOf(meter, key));
  const at = Number(key);
  return typeof key !== "boolean" && at >= 0 && at < value.length ? readable(value[at]) : null;
}

/** True where the map has the field, even when the field is null. */
export function hasElement(meter: Meter, value: unknown, key: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) {
    const at = isNumeric(key) ? Number(key) : -1;
    return Number.isInteger(at) && at >= 0 && at < value.length;
  }
  if (!isKey(key) || value instanceof Uint8Array) return false;
  const name = nameOf(meter, key);
  if (!Object.hasOwn(value, name)) return false;
  const found = (value as Record<string, unknown>)[name];
  return found === null || readable(found) !== null;
}

/** A runtime keeps the names of a larger map in a table, which takes long to read. */
const LARGE_MAP = 64;

/** The names of a map's fields. */
export function namesOf(meter: Meter, map: object): string[] {
  const names = Object.keys(map);
  meter.spend(names.length * (names.length > LARGE_MAP ? 20 : 4));
  return names;
}

/** Comparing shorter texts takes too little time to count. */
const SHORT = 64;

/** Equality by value. Numbers are equal whatever their type; different kinds never are. */
export function equal(meter: Meter, a: unknown, b: unknown): boolean {
  if (typeof a === "string" && typeof b === "string") {
    if (a.length !== b.length) return false;
    if (a.length > SHORT) meter.scan(a.length);
    return a === b;
  }
  if (a === b) return true;
  if (typeof a === "object" && typeof b === "object") return equalObjects(meter, a, b);
  if (typeof a === "number" && typeof b === "number") return false;
  if (a instanceof Moment || b instanceof Moment) return textual(a) === textual(b);
  // Loose equality compares integers with doubles without rounding either.
  return isNumeric(a) && isNumeric(b) && a == b;
}

function equalObjects(meter: Meter, a: object | null, b: object | null): boolean {
  if (a === null || b === null) return false;
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  switch (kind) {
    case "number":
      return (a as Uint).value === (b as Uint).value;
    case "timestamp":
      return nanosecondsOf(a as Date) === nanosecondsOf(b as Date);
    case "duration":
      return (a as Duration).nanoseconds === (b as Duration).nanoseconds;
    case "list":
    case "bytes":
      return equalItems(meter, a as ArrayLike<unknown>, b as ArrayLike<unknown>);
  }
  const names = namesOf(meter, a);
  const others = namesOf(meter, b);
  if (names.length !== others.length) return false;
  return names.every((name) => {
    meter.scan(name.length);
    return Object.hasOwn(b, name) && equal(meter, field(a, name), field(b, name));
  });
}

function equalItems(meter: Meter, a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    meter.spend(1);
    if (!equal(meter, a[i], b[i])) return false;
  }
  return true;
}

/** Steps of an entry in a table of texts. */
const ENTRY = 20;

/**
 * A text that is the same for two values if and only if they are equal. Finds duplicates fast. Only a
 * `Moment`, which equals both its text and its timestamp, counts as its text here.
 */
export function identity(meter: Meter, value: unknown): string {
  const text = identityOf(meter, value);
  meter.spend(ENTRY);
  meter.make(text.length);
  return text;
}

function identityOf(meter: Meter, value: unknown): string {
  switch (kindOf(value)) {
    case "null":
      return "null";
    case "string":
      meter.spend((value as string).length);
      return JSON.stringify(value);
    case "list":
      return `[${(value as unknown[]).map((item) => identity(meter, item)).join()}]`;
    case "bytes":
      // Each takes several digits and a comma.
      meter.spend(5 * (value as Uint8Array).length);
      return `b(${(value as Uint8Array).join()})`;
    case "timestamp":
      return value instanceof Moment
        ? identityOf(meter, value.toString())
        : `t${nanosecondsOf(value as Date)}`;
    case "duration":
      return `d${(value as Duration).nanoseconds}`;
    case "map": {
      const names = sortedNames(meter, value as object);
      const fields = names.map((name) =>
        `${identity(meter, name)}:${identity(meter, field(value, name))}`
      );
      return `{${fields.join()}}`;
    }
    default:
      return String(value);
  }
}

/** The names of a map from small to large. */
export function sortedNames(meter: Meter, map: object): string[] {
  const names = namesOf(meter, map);
  meter.spend(names.length * 4 * Math.ceil(Math.log2(names.length + 1)));
  for (const name of names) meter.scan(name.length);
  return names.sort();
}

/** Steps of a field of a map that is made. */
export const FIELD = 30;
