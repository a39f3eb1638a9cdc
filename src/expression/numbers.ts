/** CEL's math extension. */

import { countOf, intOf, listOf, numberOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { negate, type Numeric } from "./operators.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";

/** The most arguments that a call may have; the parser's own limit. */
const MANY = 32;

/** What an operation on 64 bits takes. */
const BITS = 40;

/** A function that rounds: ints are round already. */
function rounding(name: string, round: (value: number) => number): FunctionDefinition {
  return define(1, 1, (_meter, value) => {
    const number = numberOf(name, value);
    return typeof number === "bigint" ? number : round(number);
  });
}

/** Halves go away from zero, as CEL has it; `Math.round` sends -2.5 to -2. */
function roundHalfAway(value: number): number {
  return Math.sign(value) * Math.round(Math.abs(value));
}

/** The greatest or least of several arguments, or of one list. */
function pick(name: string, better: (a: Numeric, b: Numeric) => boolean): FunctionDefinition {
  return define(1, MANY, (meter, ...values) => {
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
  return number < 0 ? negate(meter, number) : number;
}

function sign(_meter: Meter, value: unknown): unknown {
  const number = numberOf("math.sign", value);
  if (typeof number === "number") return Math.sign(number);
  return number > 0n ? 1n : number < 0n ? -1n : 0n;
}

/** A function that tells something of a number; an int is always finite. */
function test(name: string, holds: (value: number) => boolean): FunctionDefinition {
  return define(1, 1, (_meter, value) => holds(Number(numberOf(name, value))));
}

/** A function of the 64 bits of two whole numbers. */
function onBits(name: string, act: (a: bigint, b: bigint) => bigint): FunctionDefinition {
  return define(2, 2, (meter, a, b) => {
    meter.spend(BITS);
    return act(intOf(name, a), intOf(name, b));
  });
}

/** Shifts 64 bits; those that are shifted in are zero, so a negative number turns positive. */
function shift(name: string, act: (bits: bigint, by: bigint) => bigint): FunctionDefinition {
  return define(2, 2, (meter, value, by) => {
    meter.spend(BITS);
    const bits = BigInt.asUintN(64, intOf(name, value));
    const places = Math.min(64, countOf(name, by));
    return BigInt.asIntN(64, act(bits, BigInt(places)));
  });
}

/** All functions of this file. */
export const NUMBER_FUNCTIONS: Functions = {
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
  "math.bitNot": define(1, 1, (_meter, value) => ~intOf("math.bitNot", value)),
  "math.bitShiftLeft": shift("math.bitShiftLeft", (bits, by) => bits << by),
  "math.bitShiftRight": shift("math.bitShiftRight", (bits, by) => bits >> by),
  "math.sqrt": define(1, 1, (_meter, value) => Math.sqrt(Number(numberOf("math.sqrt", value)))),
};
