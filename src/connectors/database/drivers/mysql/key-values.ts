/**
 * Values that find rows. Where their type is not the column's, the server makes numbers or times of
 * both and finds rows that nobody means: a text that begins with 1 is equal to 1 then.
 */
import { kindName, quoted } from "../../../../base/shown.ts";
import { RefusedError } from "./errors.ts";
import {
  type Bound,
  type ColumnKind,
  FRACTION,
  JsonText,
  MOST_DIGITS,
  notWhole,
  toLiteral,
  toServerTime,
} from "./values.ts";

const TIME = /^\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?$/;
const CLOCK = /^-?\d{1,3}:\d\d(?::\d\d(?:\.\d{1,9})?)?$/;

/**
 * The literal of a value that a column of this kind is compared with; `name` says what it is, such as
 * `column "n"`.
 *
 * @throws {RefusedError} It can be equal to no value of the column.
 */
export function toKeyLiteral(value: Bound, kind: ColumnKind, name: string): string {
  switch (kind) {
    case "whole":
    case "number":
      return numberKey(value, kind, name);
    case "time":
    case "clock":
      if (value !== null && !isTime(value, kind)) throw refusal(value, name, "no time");
      return toLiteral(value, kind, name);
    default:
      return toLiteral(value, kind, name);
  }
}

function numberKey(value: Bound, kind: "whole" | "number", name: string): string {
  if (value instanceof JsonText || value instanceof Uint8Array) {
    throw refusal(value, name, "no number");
  }
  if (typeof value !== "string") return toLiteral(value, kind, name);
  const text = value.trim();
  if (!FRACTION.test(text) || text.length > MOST_DIGITS) throw refusal(value, name, "no number");
  if (kind === "whole" && !Number.isInteger(Number(text))) throw notWhole(name, quoted(value));
  return text;
}

function isTime(value: Exclude<Bound, null>, kind: "time" | "clock"): boolean {
  if (typeof value !== "string") return false;
  if (kind === "clock") return CLOCK.test(value);
  return TIME.test(value) || toServerTime(value) !== undefined;
}

function refusal(value: Exclude<Bound, null>, name: string, what: string): RefusedError {
  let shown = String(value);
  if (typeof value === "string") shown = quoted(value);
  else if (value instanceof JsonText) shown = kindName(JSON.parse(value.text));
  else if (value instanceof Uint8Array) shown = kindName(value);
  return new RefusedError(`${name}: is ${shown}, which is ${what}`);
}
