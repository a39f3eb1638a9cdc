/**
 * The operators. Integer literals, `size()`, `int()` and the like are ints (bigint here), numbers
 * from JSON are doubles (number here). Two ints stay an int, so `7 / 2` is 3 as in CEL. If one side
 * is a double the result is a double, so `input.n / 2` is 3.5 for 7.
 */

import { joined } from "./bytes.ts";
import { Failure, KindFailure } from "./failure.ts";
import {
  Duration,
  int64,
  isNumeric,
  kindOf,
  Moment,
  nanosecondsOf,
  type Numeric,
  Timestamp,
  Uint,
  uint64,
  written,
} from "./kinds.ts";
import type { Meter } from "./meter.ts";
import type { BinaryOperator } from "./syntax.ts";
import { isTimestamp } from "./timestamp.ts";
import { equal, hasElement } from "./values.ts";

/** An operator with two operands. It spends steps where its work grows with them. */
export type Operator = (meter: Meter, a: unknown, b: unknown) => unknown;

/** Steps of an operation on ints: they are bigints. */
const INTS = 8;

/** Steps of an operation on uints, timestamps, durations or bytes. */
const OBJECTS = 20;

/** Two operands of the wrong kinds. */
function refuse(operator: string, a: unknown, b: unknown): never {
  throw new KindFailure(`"${operator}" does not work on ${kindOf(a)} and ${kindOf(b)}`);
}

function refuseZero(): never {
  throw new Failure("division by zero");
}

/** What an arithmetic operator does for each pair of types. */
interface Arithmetic {
  readonly doubles: (a: number, b: number) => number;
  readonly ints: (a: bigint, b: bigint) => bigint;
  /** The result for other types; undefined where there is none. */
  readonly others?: (meter: Meter, a: unknown, b: unknown) => unknown;
  /** Whether an integer of 0 as the second operand is a failure. */
  readonly divides?: boolean;
}

function arithmetic(operator: string, rules: Arithmetic): Operator {
  const { doubles, ints, others, divides = false } = rules;
  const withUint = (a: Numeric, b: Numeric) => {
    if (divides && typeof b !== "number" && Number(b) === 0) refuseZero();
    if (typeof a === "number" || typeof b === "number") return doubles(Number(a), Number(b));
    const result = ints(BigInt(a.valueOf()), BigInt(b.valueOf()));
    return a instanceof Uint && b instanceof Uint ? uint64(result) : int64(result);
  };
  return (meter, a, b) => {
    if (typeof a === "number") {
      if (typeof b === "number") return doubles(a, b);
      if (typeof b === "bigint") {
        const double = Number(b);
        if (divides && double === 0) refuseZero();
        return doubles(a, double);
      }
    } else if (typeof a === "bigint") {
      if (typeof b === "bigint") {
        meter.spend(INTS);
        if (divides && b === 0n) refuseZero();
        return int64(ints(a, b));
      }
      if (typeof b === "number") return doubles(Number(a), b);
    }
    if (typeof a !== "string" && isNumeric(a) && isNumeric(b)) {
      meter.spend(OBJECTS);
      return withUint(a, b);
    }
    return others?.(meter, a, b) ?? refuse(operator, a, b);
  };
}

function isText(value: unknown): value is string | Numeric | Moment {
  return typeof value === "string" || isNumeric(value) || value instanceof Moment;
}

/** `a + b` where not both are numbers; undefined for kinds that do not add up. */
function addOthers(meter: Meter, a: unknown, b: unknown): unknown {
  if (isText(a) && isText(b)) {
    const text = written(a) + written(b);
    meter.make(text.length);
    return text;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    meter.spend(2 * (a.length + b.length));
    return a.concat(b);
  }
  meter.spend(OBJECTS);
  if (a instanceof Duration) {
    if (b instanceof Duration) return lasting(a.nanoseconds + b.nanoseconds);
    return b instanceof Date ? timeAt(b, nanosecondsOf(b) + a.nanoseconds) : undefined;
  }
  if (a instanceof Date) {
    return b instanceof Duration ? timeAt(a, nanosecondsOf(a) + b.nanoseconds) : undefined;
  }
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return undefined;
  meter.make(a.length + b.length);
  return joined(a, b);
}

/** `a - b` of timestamps and durations; undefined for other kinds. */
function subtractOthers(meter: Meter, a: unknown, b: unknown): unknown {
  meter.spend(OBJECTS);
  if (b instanceof Duration) {
    if (a instanceof Duration) return lasting(a.nanoseconds - b.nanoseconds);
    return a instanceof Date ? timeAt(a, nanosecondsOf(a) - b.nanoseconds) : undefined;
  }
  if (!(a instanceof Date && b instanceof Date)) return undefined;
  const difference = nanosecondsOf(a) - nanosecondsOf(b);
  if (BigInt.asIntN(64, difference) === difference) return lasting(difference);
  throw new Failure("the times are more than 292 years apart");
}

function lasting(nanoseconds: bigint): Duration {
  const duration = Duration.of(nanoseconds);
  if (duration === undefined) throw new Failure("the duration is beyond 10,000 years");
  return duration;
}

/** The time as a timestamp of the same kind as `from`. */
function timeAt(from: Date, nanoseconds: bigint): Timestamp {
  const time = (from instanceof Moment ? Moment : Timestamp).of(nanoseconds);
  if (!isTimestamp(time)) throw new Failure("the time is outside the years 1 to 9999");
  return time;
}

/** `a + b`: adds numbers and durations, joins strings, numbers, lists and bytes. */
export const add: Operator = arithmetic("+", {
  doubles: (a, b) => a + b,
  ints: (a, b) => a + b,
  others: addOthers,
});

/** `a / b`. A double of 0 as the divisor makes the result infinite or NaN. */
export const divide: Operator = arithmetic("/", {
  doubles: (a, b) => a / b,
  ints: (a, b) => a / b,
  divides: true,
});

function comparison(operator: string, holds: (a: number, b: number) => boolean): Operator {
  // JavaScript compares two values of each of these kinds; the kinds are checked here.
  const ordered = holds as (a: unknown, b: unknown) => boolean;
  return (meter, a, b) => {
    if (typeof a === "number" && typeof b === "number") return holds(a, b);
    if (typeof a === "bigint" && typeof b === "number") return holds(Number(a), b);
    if (isNumeric(a) && isNumeric(b)) {
      // A double and an integer compare as doubles, as in CEL.
      return typeof a === "number" || typeof b === "number"
        ? holds(Number(a), Number(b))
        : ordered(a, b);
    }
    if (typeof a === "string" && typeof b === "string") {
      meter.scan(Math.min(a.length, b.length));
      return ordered(a, b);
    }
    if (typeof a === "boolean" && typeof b === "boolean") return ordered(a, b);
    if (typeof a === "string" && b instanceof Moment) return ordered(a, String(b));
    if (a instanceof Moment && typeof b === "string") return ordered(String(a), b);
    const order = orderOf(meter, a, b);
    return order === undefined ? refuse(operator, a, b) : holds(order, 0);
  };
}

/** Below 0 where `a` is before `b`, above 0 where it is after; undefined for kinds without order. */
function orderOf(meter: Meter, a: unknown, b: unknown): number | undefined {
  if (a instanceof Date && b instanceof Date) {
    return Math.sign(a.getTime() - b.getTime()) || Number(nanosecondsOf(a) - nanosecondsOf(b));
  }
  if (a instanceof Duration && b instanceof Duration) {
    return a.nanoseconds < b.nanoseconds ? -1 : Number(a.nanoseconds > b.nanoseconds);
  }
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return undefined;
  meter.spend(Math.min(a.length, b.length));
  const different = a.findIndex((byte, i) => byte !== b[i]);
  return different < 0 ? a.length - b.length : a[different] - (b[different] ?? -1);
}

/** `a < b`. */
export const less: Operator = comparison("<", (a, b) => a < b);

function contains(meter: Meter, value: unknown, collection: unknown): boolean {
  if (Array.isArray(collection)) {
    for (const item of collection) {
      meter.spend(2);
      if (equal(meter, value, item)) return true;
    }
    return false;
  }
  if (kindOf(collection) === "map") return hasElement(meter, collection, value);
  return refuse("in", value, collection);
}

/** The operators with two operands, other than `&&` and `||`. */
export const OPERATORS: Readonly<Record<BinaryOperator, Operator>> = {
  "==": equal,
  "!=": (meter, a, b) => !equal(meter, a, b),
  "in": contains,
  "+": add,
  "-": arithmetic("-", {
    doubles: (a, b) => a - b,
    ints: (a, b) => a - b,
    others: subtractOthers,
  }),
  "*": arithmetic("*", { doubles: (a, b) => a * b, ints: (a, b) => a * b }),
  "/": divide,
  "%": arithmetic("%", { doubles: (a, b) => a % b, ints: (a, b) => a % b, divides: true }),
  "<": less,
  "<=": comparison("<=", (a, b) => a <= b),
  ">": comparison(">", (a, b) => a > b),
  ">=": comparison(">=", (a, b) => a >= b),
};

/** `-value`. */
export function negate(_meter: Meter, value: unknown): unknown {
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return int64(-value);
  const kind = value instanceof Uint ? "an unsigned integer" : kindOf(value);
  throw new KindFailure(`"-" does not work on ${kind}`);
}

/** `!value`. */
export function not(_meter: Meter, value: unknown): boolean {
  return !boolean('"!"', value);
}

/** The value, which must be true or false. `what` needs it. */
export function boolean(what: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new KindFailure(`${what} needs true or false, got ${kindOf(value)}`);
}

/**
 * A literal as the right operand. Comparisons treat an integer and the same double alike, so an
 * integer literal becomes a JS number there: comparing JSON numbers with that is much faster.
 */
export function operand(operator: BinaryOperator, literal: unknown): unknown {
  if (!isNumeric(literal) || !/^[=!<>]/.test(operator)) return literal;
  return Number.isSafeInteger(Number(literal)) ? Number(literal) : literal;
}
