/** CEL's math extension. */

import { countOf, intOf, listOf, numberOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { int64, type Numeric, Uint } from "./kinds.ts";
import type { Meter } from "./meter.ts";
import { negate } from "./operators.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";
import { MOST_ARGUMENTS } from "./syntax.ts";

/** Steps of an operation on 64 bits. */
const BITS = 40;

/** A function that rounds doubles. An integer is returned as it is. */
function rounding(name: string, round: (value: number) => number): FunctionDefinition {
  return define(1, 1, (_meter, value) => {
    const number = numberOf(name, value);
    return typeof number === "number" ? round(number) : number;
  });
}

/** Rounds halves away from zero, as CEL does; `Math.round` rounds -2.5 to -2. */
function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** The greatest or least of several arguments, or of one list. */
function pick(name: string, better: (a: Numeric, b: Numeric) => boolean): FunctionDefinition {
  return define(1, MOST_ARGUMENTS, (meter, ...values) => {
    const given = values.length === 1 && Array.isArray(values[0])
      ? listOf(name, values[0])
      : values;
    meter.items(given.length);
    const numbers = given.map((value) => numberOf(name, value));
    if (numbers.length === 0) throw new Failure(`${name}() needs at least one number`);
    return numbers.reduce((best, value) => better(value, best) ? value : best);
  });
}

function absolute(meter: Meter, value: unknown): unknown {
  const number = numberOf("math.abs", value);
  return Number(number) < 0 ? negate(meter, number) : number;
}

function sign(_meter: Meter, value: unknown): unknown {
  const number = numberOf("math.sign", value);
  if (typeof number === "number") return Math.sign(number);
  if (number instanceof Uint) return number.value > 0n ? new Uint(1n) : number;
  return number > 0n ? 1n : number < 0n ? -1n : 0n;
}

/** A function that tests a number. An integer is always finite. */
function test(name: string, holds: (value: number) => boolean): FunctionDefinition {
  return define(1, 1, (_meter, value) => holds(Number(numberOf(name, value))));
}

/** The lowest 64 bits as a number: a uint where `value` is one, else an int. */
function fromBits(value: unknown, bits: bigint): bigint | Uint {
  return value instanceof Uint ? new Uint(BigInt.asUintN(64, bits)) : BigInt.asIntN(64, bits);
}

/** A whole number, of which the operations on bits use the 64 bits. */
function bitsOf(name: string, value: unknown): bigint {
  return value instanceof Uint ? value.value : int64(intOf(name, value));
}

/** A function of the 64 bits of two whole numbers. */
function onBits(name: string, act: (a: bigint, b: bigint) => bigint): FunctionDefinition {
  return define(2, 2, (meter, a, b) => {
    meter.spend(BITS);
    return fromBits(a, act(bitsOf(name, a), bitsOf(name, b)));
  });
}

function bitNot(meter: Meter, value: unknown): bigint | Uint {
  meter.spend(BITS);
  return fromBits(value, ~bitsOf("math.bitNot", value));
}

/** Shifts 64 bits and fills with zeros, so a negative number becomes positive to the right. */
function shift(name: string, act: (bits: bigint, by: bigint) => bigint): FunctionDefinition {
  return define(2, 2, (meter, value, by) => {
    meter.spend(BITS);
    const bits = BigInt.asUintN(64, bitsOf(name, value));
    const places = Math.min(64, countOf(name, by));
    return fromBits(value, act(bits, BigInt(places)));
  });
}

/** The functions of this file. */
export const MATH_FUNCTIONS: Functions = {
  "math.greatest": pick("math.greatest", (a, b) => b < a),
  "math.least": pick("math.least", (a, b) => a < b),
  "math.abs": define(1, 1, absolute),
  "math.sign": define(1, 1, sign),
  "math.ceil": rounding("math.ceil", Math.ceil),
  "math.floor": rounding("math.floor", Math.floor),
  "math.trunc": rounding("math.trunc", Math.trunc),
  "math.round": rounding("math.round", roundHalfAway),
  "math.isFinite": test("math.isFinite", Number.isFinite),
  "math.isInf": test("math.isInf", (value) => Math.abs(value) === Infinity),
  "math.isNaN": test("math.isNaN", Number.isNaN),
  "math.bitAnd": onBits("math.bitAnd", (a, b) => a & b),
  "math.bitOr": onBits("math.bitOr", (a, b) => a | b),
  "math.bitXor": onBits("math.bitXor", (a, b) => a ^ b),
  "math.bitNot": define(1, 1, bitNot),
  "math.bitShiftLeft": shift("math.bitShiftLeft", (bits, by) => bits << by),
  "math.bitShiftRight": shift("math.bitShiftRight", (bits, by) => bits >> by),
  "math.sqrt": define(1, 1, (_meter, value) => Math.sqrt(Number(numberOf("math.sqrt", value)))),
};
