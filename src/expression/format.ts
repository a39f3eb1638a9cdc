/** `format`, which fills in placeholders such as `%s`, from CEL's strings extension. */

import { quoted } from "../base/shown.ts";
import { intOf, listOf, numberOf, stringOf } from "./arguments.ts";
import { toHex } from "../base/text.ts";
import { toText } from "./conversions.ts";
import { Failure } from "./failure.ts";
import { kindOf, textual } from "./kinds.ts";
import { Meter } from "./meter.ts";
import { define, type FunctionDefinition } from "./scope.ts";
import { field, sortedNames } from "./values.ts";

/** Writes one value; `precision` is the number of digits after the point. */
type Placeholder = (meter: Meter, value: unknown, precision: number) => string;

/** Steps of each piece of a pattern, and of each value that is written. */
const PIECE = 40;

/** CEL's default. */
const PRECISION = 6;

/** More digits than any number has, and the most that JavaScript writes. */
const MOST_PRECISION = 100;

/** Steps of writing the most digits. */
const DIGITS = 200;

/** JavaScript writes numbers from here on with an exponent. */
const LARGE = 1e21;

function hexadecimal(meter: Meter, value: unknown): string {
  if (value instanceof Uint8Array) {
    meter.make(4 * value.length);
    return toHex(value);
  }
  const text = textual(value);
  if (typeof text === "string") {
    meter.make(12 * text.length);
    return toHex(new TextEncoder().encode(text));
  }
  return intOf("format", value).toString(16);
}

function decimal(_meter: Meter, value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return String(intOf("format", value));
}

function fixed(meter: Meter, value: unknown, precision: number): string {
  meter.spend(DIGITS);
  const number = Number(numberOf("format", value));
  if (Math.abs(number) < LARGE || !Number.isFinite(number)) return roundedToEven(number, precision);
  const fraction = "0".repeat(precision);
  return `${BigInt(number)}${fraction && `.${fraction}`}`;
}

/** The number with that many digits after the point. As in CEL, 0.5 becomes 0 and 1.5 becomes 2. */
function roundedToEven(number: number, precision: number): string {
  const text = number.toFixed(precision);
  // A number is halfway between two texts only if one more binary digit writes it exactly.
  const halves = Math.abs(number) * 2 ** (precision + 1);
  if (precision === MOST_PRECISION || halves % 2 !== 1 || !/[13579]$/.test(text)) return text;
  return number.toFixed(precision + 1).slice(0, -1).replace(/\.$/, "");
}

function scientific(meter: Meter, value: unknown, precision: number): string {
  meter.spend(DIGITS);
  const text = Number(numberOf("format", value)).toExponential(precision);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

function binary(_meter: Meter, value: unknown): string {
  return typeof value === "boolean" ? `${+value}` : intOf("format", value).toString(2);
}

/** Any value for people to read: no quotes, and the fields of maps sorted by name. */
function shown(meter: Meter, value: unknown): string {
  const text = shownOf(meter, value);
  meter.spend(PIECE);
  meter.make(text.length);
  return text;
}

function shownOf(meter: Meter, value: unknown): string {
  switch (kindOf(value)) {
    case "null":
      return "null";
    case "list":
      return `[${(value as unknown[]).map((item) => shown(meter, item)).join(", ")}]`;
    case "map": {
      const fields = sortedNames(meter, value as object).map((name) => {
        meter.make(name.length);
        return `${name}: ${shown(meter, field(value, name))}`;
      });
      return `{${fields.join(", ")}}`;
    }
    default:
      return toText(meter, "format", value);
  }
}

const PLACEHOLDERS: ReadonlyMap<string, Placeholder> = new Map<string, Placeholder>([
  ["s", shown],
  ["d", decimal],
  ["f", fixed],
  ["e", scientific],
  ["b", binary],
  ["o", (_meter, value) => intOf("format", value).toString(8)],
  ["x", hexadecimal],
  ["X", (meter, value) => hexadecimal(meter, value).toUpperCase()],
]);

/** A literal piece, or a function that writes the next value. */
type Piece = string | ((meter: Meter, value: unknown) => string);

function parse(meter: Meter, pattern: string): readonly Piece[] {
  meter.spend(pattern.length);
  // A split at a pattern with groups returns the groups between the pieces.
  const [first, ...rest] = pattern.split(/(%%|%(?:\.\d+)?[\s\S]?)/u);
  meter.spend(PIECE * rest.length);
  return [first].concat(rest).map((text, i) => i % 2 === 0 ? text : placeholder(text));
}

function placeholder(text: string): Piece {
  if (text === "%%") return "%";
  const turn = PLACEHOLDERS.get(text.charAt(text.length - 1));
  const digits = /\.(\d+)/.exec(text)?.[1];
  const precision = digits === undefined ? PRECISION : Number(digits);
  const takesDigits = turn === fixed || turn === scientific;
  if (turn === undefined || text.length === 1 || (digits !== undefined && !takesDigits)) {
    throw new Failure(`format() has no placeholder ${quoted(text)}`);
  }
  if (precision > MOST_PRECISION) {
    throw new Failure(`format() writes at most ${MOST_PRECISION} digits after the point`);
  }
  return (meter, value) => turn(meter, value, precision);
}

function fill(meter: Meter, pieces: readonly Piece[], values: readonly unknown[]): string {
  let next = 0;
  return pieces.map((piece) => {
    if (typeof piece === "string") {
      meter.make(piece.length);
      return piece;
    }
    if (next >= values.length) {
      throw new Failure(`format() has more placeholders than the ${values.length} values`);
    }
    meter.spend(PIECE);
    return piece(meter, values[next++]);
  }).join("");
}

/** `format(pattern, list)`. A pattern that is a literal is parsed once. */
export const FORMAT: FunctionDefinition = define(
  2,
  2,
  (meter, pattern, values) =>
    fill(meter, parse(meter, stringOf("format", pattern)), listOf("format", values)),
  ([pattern]) => {
    if (typeof pattern !== "string") return undefined;
    const pieces = parse(new Meter(), pattern);
    return (meter, _pattern, values) => fill(meter, pieces, listOf("format", values));
  },
);
