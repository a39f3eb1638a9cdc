/** The three types of numbers, and the conversions between them. */

import { Failure } from "./failure.ts";
import { Uint } from "./kinds.ts";

/** A double, an int as a bigint, or a uint. */
export type Numeric = number | bigint | Uint;

/** True for a number of any type. */
export function isNumeric(value: unknown): value is Numeric {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Uint;
}

/** A string or number as it is joined to a string: `1.0` is "1", `1.5` is "1.5". */
export function written(value: string | Numeric): string {
  return typeof value === "string" ? value : String(value);
}

/** The value as an int. Throws a Failure beyond 64 bits. */
export function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new Failure("the integer is beyond 64 bits");
  return value;
}

/** The value as a uint. Throws a Failure for a negative value and beyond 64 bits. */
export function uint64(value: bigint): Uint {
  if (!Uint.holds(value)) throw new Failure("the unsigned integer is negative or beyond 64 bits");
  return new Uint(value);
}
