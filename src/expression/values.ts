/** How values are read, compared and given back. Data is never trusted: own properties alone. */

import { Duration } from "./duration.ts";
import { toBase64 } from "./bytes.ts";
import { Failure, kindOf } from "./failure.ts";

/** A value as expressions see it: what is no data (undefined, a function) reads as null. */
export function readable(value: unknown): unknown {
  return value === undefined || typeof value === "function" || typeof value === "symbol"
    ? null
    : value;
}

/** A field of a map; null where there is none, whatever `value` is. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
  return Array.isArray(value) ? null : readable((value as Record<string, unknown>)[name]);
}

/** An element of a list or a field of a map; null where there is none. */
export function element(value: unknown, key: unknown): unknown {
  if (typeof key === "string") return field(value, key);
  if (typeof key !== "number" && typeof key !== "bigint" && typeof key !== "boolean") return null;
  if (!Array.isArray(value)) return field(value, String(key));
  const at = Number(key);
  return typeof key !== "boolean" && at >= 0 && at < value.length ? readable(value[at]) : null;
}

/** True where the map has the field, even when the field is null. */
export function hasElement(value: unknown, key: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) {
    const at = typeof key === "number" || typeof key === "bigint" ? Number(key) : -1;
    return Number.isInteger(at) && at >= 0 && at < value.length;
  }
  const name = String(key);
  if (!Object.hasOwn(value, name)) return false;
  const found = (value as Record<string, unknown>)[name];
  return found === null || readable(found) !== null;
}

/** Equality by value. Numbers are equal whatever their type; different kinds never are. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === "bigint" || typeof b === "bigint") {
    // Loose equality compares a bigint with a number without rounding either.
    return (typeof a === "number" || typeof b === "number") && a == b;
  }
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  if (kind === "timestamp") return Number(a) === Number(b);
  if (kind === "duration") return (a as Duration).nanoseconds === (b as Duration).nanoseconds;
  if (kind === "list" || kind === "bytes") {
    const left = a as ArrayLike<unknown>;
    const right = b as ArrayLike<unknown>;
    if (left.length !== right.length) return false;
    for (let i = 0; i < left.length; i++) if (!equal(left[i], right[i])) return false;
    return true;
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && equal(field(a, name), field(b, name)));
}

/** A text that two values share exactly when they are equal: finds duplicates in linear time. */
export function identity(value: unknown): string {
  switch (kindOf(value)) {
    case "null":
      return "null";
    case "string":
      return JSON.stringify(value);
    case "list":
      return `[${(value as unknown[]).map(identity).join()}]`;
    case "bytes":
      return `b(${(value as Uint8Array).join()})`;
    case "timestamp":
      return `t${Number(value)}`;
    case "duration":
      return `d${(value as Duration).nanoseconds}`;
    case "map": {
      const names = Object.keys(value as object).sort();
      const fields = names.map((name) => `${JSON.stringify(name)}:${identity(field(value, name))}`);
      return `{${fields.join()}}`;
    }
    default:
      return String(value);
  }
}

/**
 * A result as plain data: whole numbers as JS numbers (as text beyond 2^53), timestamps and
 * durations as text, bytes as base64. What is plain already comes back as it is, uncopied.
 */
export function toPlain(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new Failure("the result is not a finite number");
      return value + 0; // -0 becomes 0
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "object":
      return value === null ? null : plainObject(value);
    default:
      return null;
  }
}

function plainObject(value: object): unknown {
  if (isPlain(value)) return value;
  if (Array.isArray(value)) return Array.from(value, toPlain);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return toBase64(value);
  if (value instanceof Duration) return String(value);
  // fromEntries defines properties: a key "__proto__" stays plain data.
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, toPlain(item)]));
}

/** True where `toPlain` would change nothing. */
function isPlain(value: unknown): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object") return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isPlain(item)) return false;
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  for (const name of Object.keys(value)) {
    if (!isPlain((value as Record<string, unknown>)[name])) return false;
  }
  return true;
}
