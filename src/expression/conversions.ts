/** Conversions between types, and the types' names. */

import { refuse, stringOf, textOf } from "./arguments.ts";
import { fromUtf8 } from "./bytes.ts";
import { Failure } from "./failure.ts";
import {
  Duration,
  int64,
  isNumeric,
  kindOf,
  Moment,
  nanosecondsOf,
  textual,
  Timestamp,
  Uint,
  uint64,
} from "./kinds.ts";
import type { Meter } from "./meter.ts";
import { define, type Functions } from "./scope.ts";
import { timestampOf } from "./timestamp.ts";

/** The names of CEL's types by kind, as `type()` returns them: `type(input.n) == double`. */
const TYPES: Readonly<Record<string, string>> = {
  boolean: "bool",
  list: "list",
  map: "map",
  bytes: "bytes",
  string: "string",
  null: "null_type",
  timestamp: "timestamp",
  duration: "duration",
};

/** The names that denote types. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...Object.values(TYPES),
  "int",
  "uint",
  "double",
  "type",
]);

function typeOf(_meter: Meter, value: unknown): string {
  if (typeof value === "bigint") return "int";
  if (value instanceof Uint) return "uint";
  return typeof value === "number" ? "double" : TYPES[kindOf(value)];
}

/** Steps of reading or writing a number. */
const CONVERSION = 20;

/** Steps of reading a duration, even the longest. */
const DURATION = 500;

/** The longest text of a 64-bit integer, sign included. */
const LONGEST_INT = 20;

const DOUBLE = /^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "true", "TRUE", "True"].map((text) => [text, true] as const),
  ...["0", "f", "false", "FALSE", "False"].map((text) => [text, false] as const),
]);

function unreadable(name: string): never {
  throw new Failure(`${name}() cannot parse its argument`);
}

/** Doubles are cut towards zero, texts are decimal, a timestamp becomes unix seconds. */
function toInteger(meter: Meter, name: string, value: unknown): bigint {
  meter.spend(CONVERSION);
  if (typeof value === "bigint") return value;
  if (value instanceof Uint) return value.value;
  if (value instanceof Date) return BigInt(Math.floor(value.getTime() / 1000));
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Failure(`${name}() needs a finite number`);
    return BigInt(Math.trunc(value));
  }
  if (typeof value !== "string") return refuse(name, "a number, a string or a timestamp", value);
  if (value.length > LONGEST_INT || !/^[+-]?\d+$/.test(value)) return unreadable(name);
  return BigInt(value.replace("+", ""));
}

/** The least int, which no conversion of a double returns: it may have been rounded to it. */
const LEAST = -(2 ** 63);

function toInt(meter: Meter, value: unknown): bigint {
  const int = int64(toInteger(meter, "int", value));
  if (value === LEAST) throw new Failure("the integer is beyond 64 bits");
  return int;
}

function toUint(meter: Meter, value: unknown): Uint {
  const integer = toInteger(meter, "uint", value);
  if (integer < 0n) throw new Failure("uint() needs a number of at least 0");
  return uint64(integer);
}

function toDouble(meter: Meter, value: unknown): number {
  if (isNumeric(value)) return Number(value);
  const text = stringOf("double", value);
  meter.spend(CONVERSION + text.length);
  if (!DOUBLE.test(text)) return unreadable("double");
  return Number(text.replace(/inf.*/i, "Infinity"));
}

function toBool(_meter: Meter, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  const text = stringOf("bool", value);
  return BOOLEANS.get(text) ?? unreadable("bool");
}

/** The value as text. Throws a Failure for lists, maps and null. */
export function toText(meter: Meter, name: string, value: unknown): string {
  const text = textual(value);
  if (typeof text === "string") return text;
  meter.spend(CONVERSION);
  if (typeof value === "boolean" || value instanceof Duration) return String(value);
  if (value instanceof Date) return timeText(value);
  if (!(value instanceof Uint8Array)) return textOf(name, value);
  meter.make(2 * value.length);
  const decoded = fromUtf8(value);
  if (decoded === undefined) throw new Failure(`${name}() needs bytes that are UTF-8`);
  return decoded;
}

/** A timestamp as CEL writes it: with as many digits after the point as it needs. */
function timeText(time: Date): string {
  const text = time.toISOString();
  let end = text.length - 1;
  while (text[end - 1] === "0") end--;
  if (text[end - 1] === ".") end--;
  return `${text.slice(0, end)}Z`;
}

function toDuration(meter: Meter, value: unknown): Duration {
  meter.spend(DURATION);
  if (value instanceof Duration) return value;
  const text = stringOf("duration", value);
  return Duration.parse(text) ?? unreadable("duration");
}

/** A timestamp that is not its text, too. */
function toTimestamp(meter: Meter, value: unknown): Date {
  const time = timestampOf(meter, "timestamp", value);
  return time instanceof Moment ? Timestamp.of(nanosecondsOf(time)) : time;
}

/** The functions of this file. */
export const CONVERSIONS: Functions = {
  type: define(1, 1, typeOf),
  dyn: define(1, 1, (_meter, value) => value),
  int: define(1, 1, toInt),
  uint: define(1, 1, toUint),
  double: define(1, 1, toDouble),
  string: define(1, 1, (meter, value) => toText(meter, "string", value)),
  bool: define(1, 1, toBool),
  timestamp: define(1, 1, toTimestamp),
  duration: define(1, 1, toDuration),
};
