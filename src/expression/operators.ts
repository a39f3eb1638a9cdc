/**
 * The operators. Integer literals, `size()`, `int()` and the like are ints (bigint here), numbers
 * from JSON are doubles (number here). Two ints stay an int, so `7 / 2` is 3 as in CEL; as soon as
 * one side is a double the result is a double, so `input.n / 2` is 3.5 for 7.
 */

import type { BinaryOperator } from "@marcbachmann/cel-js";
import { Failure, kindOf } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { addedSpecial, orderOfSpecial, subtractedSpecial } from "./special.ts";
import { equal, hasElement } from "./values.ts";

/** An operator with two operands. Where its work grows with them, it takes steps for it. */
export type Operator = (meter: Meter, a: unknown, b: unknown) => unknown;

/** What an operation on ints takes: they are bigints. */
const INTS = 8;

/** A number, or an int where `bigint`. */
export type Numeric = number | bigint;

/** True for numbers of either type. */
export function isNumeric(value: unknown): value is Numeric {
  return typeof value === "number" || typeof value === "bigint";
}

/** A number or string the way it is joined to a string: `1.0` is "1", `1.5` is "1.5". */
export function written(value: string | Numeric): string {
  return typeof value === "string" ? value : String(value);
}

function isText(value: unknown): value is string | Numeric {
  return typeof value === "string" || isNumeric(value);
}

function refuse(operator: string, a: unknown, b: unknown): never {
  throw new Failure(`"${operator}" does not work on ${kindOf(a)} and ${kindOf(b)}`);
}

/** The last resort of an operator: values of CEL's own types, for which `act` gives a result. */
function special(operator: string, act: Operator): Operator {
  return (meter, a, b) => act(meter, a, b) ?? refuse(operator, a, b);
}

/** Keeps an int within 64 bits, as CEL has it. */
export function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new Failure("the integer is beyond 64 bits");
  return value;
}

function arithmetic(
  operator: string,
  doubles: (a: number, b: number) => number,
  ints: (a: bigint, b: bigint) => bigint,
  other: Operator = (_meter, a, b) => refuse(operator, a, b),
): Operator {
  return (meter, a, b) => {
    if (typeof a === "number") {
      if (typeof b === "number") return doubles(a, b);
      if (typeof b === "bigint") return doubles(a, Number(b));
    } else if (typeof a === "bigint") {
      if (typeof b === "bigint") {
        meter.spend(INTS);
        return int64(ints(a, b));
      }
      if (typeof b === "number") return doubles(Number(a), b);
    }
    return other(meter, a, b);
  };
}

const addSpecial = special("+", addedSpecial);

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
  return addSpecial(meter, a, b);
}

function divisor<T extends Numeric>(value: T): T {
  if (Number(value) === 0) throw new Failure("division by zero");
  return value;
}

/** `a + b`: numbers are added, strings and numbers joined, lists joined. */
export const add: Operator = arithmetic("+", (a, b) => a + b, (a, b) => a + b, addOthers);

/** `a / b`; division by zero is a Failure for doubles too, since JSON has no infinity. */
export const divide: Operator = arithmetic("/", (a, b) => a / divisor(b), (a, b) => a / divisor(b));

function comparison(operator: string, holds: (a: string, b: string) => boolean): Operator {
  // The handlers compare whatever JS orders; the kinds are checked here.
  const ordered = holds as (a: unknown, b: unknown) => boolean;
  return (meter, a, b) => {
    if (isNumeric(a) && isNumeric(b)) return ordered(a, b);
    if (typeof a === "string" && typeof b === "string") {
      meter.scan(Math.min(a.length, b.length));
      return ordered(a, b);
    }
    if (typeof a === "boolean" && typeof b === "boolean") return ordered(a, b);
    const order = orderOfSpecial(meter, a, b);
    return order === undefined ? refuse(operator, a, b) : ordered(order, 0);
  };
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
  if (kindOf(collection) === "map") {
    return value !== null && typeof value !== "object" && hasElement(meter, collection, value);
  }
  return refuse("in", value, collection);
}

/** All operators with two operands, save `&&` and `||`, which do not always need the second. */
export const OPERATORS: Readonly<Record<BinaryOperator, Operator>> = {
  "==": equal,
  "!=": (meter, a, b) => !equal(meter, a, b),
  "in": contains,
  "+": add,
  "-": arithmetic("-", (a, b) => a - b, (a, b) => a - b, special("-", subtractedSpecial)),
  "*": arithmetic("*", (a, b) => a * b, (a, b) => a * b),
  "/": divide,
  "%": arithmetic("%", (a, b) => a % divisor(b), (a, b) => a % divisor(b)),
  "<": less,
  "<=": comparison("<=", (a, b) => a <= b),
  ">": comparison(">", (a, b) => a > b),
  ">=": comparison(">=", (a, b) => a >= b),
};

/** `-value`. */
export function negate(_meter: Meter, value: unknown): unknown {
  if (typeof value === "number") return -value;
  if (typeof value === "bigint") return int64(-value);
  throw new Failure(`"-" does not work on ${kindOf(value)}`);
}

/** `!value`. */
export function not(_meter: Meter, value: unknown): boolean {
  return !boolean('"!"', value);
}

/** The value, which must be true or false. */
export function boolean(what: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new Failure(`${what} needs true or false, got ${kindOf(value)}`);
}

/**
 * A literal as the right operand. Comparisons treat an int and the same double alike, so an int
 * literal becomes a JS number there: comparing JSON numbers with that is much faster.
 */
export function operand(operator: BinaryOperator, literal: unknown): unknown {
  if (typeof literal !== "bigint" || !/^[=!<>]/.test(operator)) return literal;
  return Number.isSafeInteger(Number(literal)) ? Number(literal) : literal;
}
