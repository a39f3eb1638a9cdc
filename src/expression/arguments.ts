/** Checks the arguments of functions. Each function returns the value or throws a Failure. */

import { Failure } from "./failure.ts";
import { int64, isNumeric, kindOf, type Numeric, textual, Uint, written } from "./kinds.ts";

/** Throws the Failure for an argument of the wrong kind; `wanted` is for example "a string". */
export function refuse(name: string, wanted: string, value: unknown): never {
  throw new Failure(`${name}() needs ${wanted}, got ${kindOf(value)}`);
}

/** A string. */
export function stringOf(name: string, value: unknown): string {
  const text = textual(value);
  return typeof text === "string" ? text : refuse(name, "a string", value);
}

/** A string, or a number as text. */
export function textOf(name: string, value: unknown): string {
  const text = textual(value);
  if (typeof text === "string" || isNumeric(text)) return written(text);
  return refuse(name, "a string or a number", value);
}

/** A number of any type. */
export function numberOf(name: string, value: unknown): Numeric {
  return isNumeric(value) ? value : refuse(name, "a number", value);
}

/** A whole number of at least 0, as a JS number. */
export function countOf(name: string, value: unknown): number {
  const count = Number(numberOf(name, value));
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new Failure(`${name}() needs a whole number of at least 0, got ${count}`);
}

/** A whole number of any type, as a bigint. A uint may be beyond the range of an int. */
export function intOf(name: string, value: unknown): bigint {
  const number = numberOf(name, value);
  if (typeof number === "bigint") return number;
  if (number instanceof Uint) return number.value;
  if (Number.isInteger(number)) return int64(BigInt(number));
  throw new Failure(`${name}() needs a whole number, got ${number}`);
}

/** Bytes. */
export function bytesOf(name: string, value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : refuse(name, "bytes", value);
}

/** A list. */
export function listOf(name: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(name, "a list", value);
}

/** A map. */
export function mapOf(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return kindOf(value) === "map"
    ? value as Readonly<Record<string, unknown>>
    : refuse(name, "a map", value);
}
