/** Checks the arguments of functions: each gives the value in its type or throws a Failure. */

import { Failure, kindOf } from "./failure.ts";
import { isNumeric, type Numeric, written } from "./operators.ts";

function refuse(name: string, wanted: string, value: unknown): never {
  throw new Failure(`${name}() needs ${wanted}, got ${kindOf(value)}`);
}

/** A string. */
export function stringOf(name: string, value: unknown): string {
  return typeof value === "string" ? value : refuse(name, "a string", value);
}

/** A string, or a number as it is written. */
export function textOf(name: string, value: unknown): string {
  if (typeof value === "string" || isNumeric(value)) return written(value);
  return refuse(name, "a string or a number", value);
}

/** A number of either type. */
export function numberOf(name: string, value: unknown): Numeric {
  return isNumeric(value) ? value : refuse(name, "a number", value);
}

/** A whole number from 0, as a JS number. */
export function countOf(name: string, value: unknown): number {
  const count = Number(numberOf(name, value));
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new Failure(`${name}() needs a whole number from 0, got ${count}`);
}

/** A list. */
export function listOf(name: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(name, "a list", value);
}

/** A map: an object that is no list and none of the other types. */
export function mapOf(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return kindOf(value) === "map"
    ? value as Readonly<Record<string, unknown>>
    : refuse(name, "a map", value);
}
