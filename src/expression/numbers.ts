/** Conversions to numbers and CEL's math extension. */

import { listOf, numberOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { libraryFunction } from "./library.ts";
import { less, negate, type Numeric } from "./operators.ts";
import { define, type FunctionDefinition, type Functions } from "./scope.ts";

/** The most arguments that a call may have; the parser's own limit. */
const MANY = 32;

/** A function that rounds: ints are round already. */
function rounding(name: string, round: (value: number) => number): FunctionDefinition {
  return define(1, 1, (value) => {
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
  return define(1, MANY, (...values) => {
    const given = values.length === 1 && Array.isArray(values[0])
      ? listOf(name, values[0])
      : values;
    const numbers = given.map((value) => numberOf(name, value));
    if (numbers.length === 0) throw new Failure(`${name}() needs at least one number`);
    return numbers.reduce((best, value) => better(value, best) ? value : best);
  });
}

const toInt = libraryFunction("int", 1, 1);

/** An int that is not negative. There is no type of its own for it. */
function unsigned(value: unknown): unknown {
  const int = toInt.call(value);
  if (less(int, 0) === true) throw new Failure("uint() needs a number from 0");
  return int;
}

function absolute(value: unknown): unknown {
  const number = numberOf("math.abs", value);
  return number < 0 ? negate(number) : number;
}

function sign(value: unknown): unknown {
  const number = numberOf("math.sign", value);
  if (typeof number === "number") return Math.sign(number);
  return number > 0n ? 1n : number < 0n ? -1n : 0n;
}

/** All functions of this file. */
export const NUMBER_FUNCTIONS: Functions = {
  int: toInt,
  uint: define(1, 1, unsigned),
  double: libraryFunction("double", 1, 1),
  "math.greatest": pick("math.greatest", (a, b) => less(b, a) === true),
  "math.least": pick("math.least", (a, b) => less(a, b) === true),
  "math.abs": define(1, 1, absolute),
  "math.sign": define(1, 1, sign),
  "math.ceil": rounding("math.ceil", Math.ceil),
  "math.floor": rounding("math.floor", Math.floor),
  "math.trunc": rounding("math.trunc", Math.trunc),
  "math.round": rounding("math.round", roundHalfAway),
  "math.sqrt": define(1, 1, (value) => Math.sqrt(Number(numberOf("math.sqrt", value)))),
};
