/**
 * The types of CEL that JavaScript lacks, and the kinds of all values. Their fields are private: an
 * expression reads every own property of an object as a field.
 */

import { amountsOf, UNITS } from "../base/duration.ts";
import { Failure } from "./failure.ts";

/** An unsigned integer of 64 bits. */
export class Uint {
  readonly #value: bigint;

  /** `value` is from 0 to 2^64 - 1; `Uint.holds` tells. */
  constructor(value: bigint) {
    this.#value = value;
  }

  /** As a bigint. */
  get value(): bigint {
    return this.#value;
  }

  /** Whether `value` is in range. */
  static holds(value: bigint): boolean {
    return BigInt.asUintN(64, value) === value;
  }

  /** The number for JavaScript's own operators: `<`, `Number()` and the like. */
  valueOf(): bigint {
    return this.#value;
  }

  toString(): string {
    return String(this.#value);
  }
}

/** A double, an int as a bigint, or a uint. */
export type Numeric = number | bigint | Uint;

/** True for a number of any type. */
export function isNumeric(value: unknown): value is Numeric {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Uint;
}

/** A string or number as it is joined to a string: `1.0` is "1", `1.5` is "1.5". */
export function written(value: string | Numeric | Moment): string {
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

const SECOND = UNITS.s;

/** About 10,000 years, the limit of CEL. */
const LONGEST = 315_576_000_000n * SECOND;

/** Longer texts are no durations; reading one would take long. */
const LONGEST_TEXT = 100;

/** A length of time, exact to the nanosecond. It may be negative. */
export class Duration {
  readonly #nanoseconds: bigint;

  private constructor(nanoseconds: bigint) {
    this.#nanoseconds = nanoseconds;
  }

  /** The whole length. */
  get nanoseconds(): bigint {
    return this.#nanoseconds;
  }

  /** The duration of that length; undefined beyond 10,000 years. */
  static of(nanoseconds: bigint): Duration | undefined {
    const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
    return size > LONGEST ? undefined : new Duration(nanoseconds);
  }

  /** Reads `1h30m`, `-1.5s`, `2d` and the like; undefined for any other text. */
  static parse(text: string): Duration | undefined {
    if (text === "0") return new Duration(0n);
    const amounts = text.length > LONGEST_TEXT ? undefined : amountsOf(text.replace(/^[-+]/, ""));
    if (amounts === undefined) return undefined;
    let total = 0n;
    for (const { whole, fraction, unit } of amounts) {
      total += BigInt(whole + fraction) * UNITS[unit] / 10n ** BigInt(fraction.length);
    }
    return Duration.of(text.startsWith("-") ? -total : total);
  }

  /** The number of whole units, such as hours for "h", cut towards zero. */
  in(unit: "h" | "m" | "s" | "ms"): bigint {
    return this.#nanoseconds / UNITS[unit];
  }

  /** Seconds, as CEL writes durations: `5400s`, `-1.5s`. */
  toString(): string {
    const size = this.#nanoseconds < 0n ? -this.#nanoseconds : this.#nanoseconds;
    const fraction = String(size % SECOND).padStart(9, "0").replace(/0+$/, "");
    const sign = this.#nanoseconds < 0n ? "-" : "";
    return `${sign}${size / SECOND}${fraction === "" ? "" : `.${fraction}`}s`;
  }
}

const MILLISECOND = 1_000_000n;

/** A point in time, exact to the nanosecond. Any other `Date` is a timestamp of whole milliseconds. */
export class Timestamp extends Date {
  readonly #beyond: number;

  /** `beyond` is from 0 to 999,999. */
  constructor(milliseconds: number, beyond: number) {
    super(milliseconds);
    this.#beyond = beyond;
  }

  /** The nanoseconds since the last whole millisecond. */
  get beyond(): number {
    return this.#beyond;
  }

  /** The time that many nanoseconds after the start of 1970. */
  static of(nanoseconds: bigint): Timestamp {
    const rest = nanoseconds % MILLISECOND;
    const beyond = rest < 0n ? rest + MILLISECOND : rest;
    return new this(Number((nanoseconds - beyond) / MILLISECOND), Number(beyond));
  }

  /** As of a `Date`, with six more digits where they are not zero. */
  override toISOString(): string {
    const text = super.toISOString();
    return this.#beyond === 0
      ? text
      : `${text.slice(0, -1)}${String(this.#beyond).padStart(6, "0")}Z`;
  }
}

/**
 * A timestamp that is also its text in ISO 8601: what `now()` returns, with durations added or
 * subtracted. Functions and operators that need a text take its text.
 */
export class Moment extends Timestamp {
  #text: string | undefined;

  /** The text of a result. */
  override toString(): string {
    return this.#text ??= this.toISOString();
  }
}

/** The text of a `Moment`; any other value as it is. */
export function textual(value: unknown): unknown {
  return value instanceof Moment ? value.toString() : value;
}

/** The nanoseconds since the start of 1970. */
export function nanosecondsOf(time: Date): bigint {
  const beyond = time instanceof Timestamp ? BigInt(time.beyond) : 0n;
  return BigInt(time.getTime()) * MILLISECOND + beyond;
}

/** The kind of a value in the words of an error message. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "number":
      return typeof value;
    case "bigint":
      return "number";
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return "list";
      if (value instanceof Uint8Array) return "bytes";
      if (value instanceof Date) return "timestamp";
      if (value instanceof Duration) return "duration";
      if (value instanceof Uint) return "number";
      return "map";
    default:
      return "null";
  }
}
