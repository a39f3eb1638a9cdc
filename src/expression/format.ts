/** `format`: a text with placeholders such as `%s`, as CEL's strings extension has them. */

import { intOf, listOf, numberOf, stringOf } from "./arguments.ts";
import { toHex } from "./bytes.ts";
import { toText } from "./conversions.ts";
import { Failure, kindOf } from "./failure.ts";
import { define, type FunctionDefinition } from "./scope.ts";
import { field } from "./values.ts";

/** Turns one value into text; `precision` counts the digits behind the point. */
type Placeholder = (value: unknown, precision: number) => string;

/** CEL's default. */
const PRECISION = 6;

/** More digits than any number has, and the most that JavaScript writes. */
const MOST_PRECISION = 100;

/** From here on JavaScript writes whole numbers with an exponent. */
const LARGE = 1e21;

function hexadecimal(value: unknown): string {
  if (value instanceof Uint8Array) return toHex(value);
  if (typeof value === "string") return toHex(new TextEncoder().encode(value));
  return intOf("format", value).toString(16);
}

function fixed(value: unknown, precision: number): string {
  const number = Number(numberOf("format", value));
  if (Math.abs(number) < LARGE || !Number.isFinite(number)) return number.toFixed(precision);
  const fraction = "0".repeat(precision);
  return `${BigInt(number)}${fraction && `.${fraction}`}`;
}

function scientific(value: unknown, precision: number): string {
  const text = Number(numberOf("format", value)).toExponential(precision);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** Any value as people read it: the items of lists and maps without quotes, maps by name. */
function shown(value: unknown): string {
  switch (kindOf(value)) {
    case "null":
      return "null";
    case "list":
      return `[${(value as unknown[]).map(shown).join(", ")}]`;
    case "map": {
      const names = Object.keys(value as object).sort();
      return `{${names.map((name) => `${name}: ${shown(field(value, name))}`).join(", ")}}`;
    }
    default:
      return toText("format", value);
  }
}

const PLACEHOLDERS: ReadonlyMap<string, Placeholder> = new Map<string, Placeholder>([
  ["s", shown],
  ["d", (value) => String(intOf("format", value))],
  ["f", fixed],
  ["e", scientific],
  ["b", (value) => typeof value === "boolean" ? `${+value}` : intOf("format", value).toString(2)],
  ["o", (value) => intOf("format", value).toString(8)],
  ["x", hexadecimal],
  ["X", (value) => hexadecimal(value).toUpperCase()],
]);

/** A literal piece, or what turns the next value into text. */
type Piece = string | ((value: unknown) => string);

function parse(pattern: string): readonly Piece[] {
  // Splitting at a pattern with groups gives the groups between the pieces.
  const [first, ...rest] = pattern.split(/(%%|%(?:\.\d+)?[\s\S]?)/u);
  return [first, ...rest.map((text, i) => i % 2 === 0 ? placeholder(text) : text)];
}

function placeholder(text: string): Piece {
  if (text === "%%") return "%";
  const turn = PLACEHOLDERS.get(text.charAt(text.length - 1));
  const digits = /\.(\d+)/.exec(text)?.[1];
  const precision = digits === undefined ? PRECISION : Number(digits);
  const takesDigits = turn === fixed || turn === scientific;
  if (turn === undefined || text.length === 1 || (digits !== undefined && !takesDigits)) {
    throw new Failure(`format() has no placeholder "${text}"`);
  }
  if (precision > MOST_PRECISION) {
    throw new Failure(`format() writes at most ${MOST_PRECISION} digits behind the point`);
  }
  return (value) => turn(value, precision);
}

function fill(pieces: readonly Piece[], values: readonly unknown[]): string {
  let next = 0;
  return pieces.map((piece) => {
    if (typeof piece === "string") return piece;
    if (next < values.length) return piece(values[next++]);
    throw new Failure(`format() has more placeholders than the ${values.length} values`);
  }).join("");
}

/** `format(pattern, list)`. A pattern that is written out is read once. */
export const FORMAT: FunctionDefinition = define(
  2,
  2,
  (pattern, values) => fill(parse(stringOf("format", pattern)), listOf("format", values)),
  ([pattern]) => {
    if (typeof pattern !== "string") return undefined;
    const pieces = parse(pattern);
    return (_pattern, values) => fill(pieces, listOf("format", values));
  },
);
