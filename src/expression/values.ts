/** Reads, compares and returns values. Data is never trusted: only own properties count. */

import { toBase64 } from "./bytes.ts";
import { Failure, KindFailure } from "./failure.ts";
import { Duration, isNumeric, kindOf, nanosecondsOf, type Numeric, Uint } from "./kinds.ts";
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
export function isKey(value: unknown): value is string | boolean | Numeric {
  return typeof value === "string" || typeof value === "boolean" || isNumeric(value);
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

/** A text that is the same for two values if and only if they are equal. Finds duplicates fast. */
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
      return `t${nanosecondsOf(value as Date)}`;
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

/** Steps of a field of a map that is made. */
export const FIELD = 30;
