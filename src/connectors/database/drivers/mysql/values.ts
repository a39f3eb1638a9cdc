/**
 * Values on their way into a server: first checked without their columns, then written as literals of
 * SQL by the types of their columns. Literals read the same in every mode of the server.
 */
import { Buffer } from "node:buffer";
import { hasLoneSurrogate } from "../../../../base/json.ts";
import { kindName, quoted, shown } from "../../../../base/shown.ts";
import { RefusedError } from "./errors.ts";

/** What a column holds, as far as values are written in different ways. */
export type ColumnKind =
  | "whole"
  | "number"
  | "time"
  | "clock"
  | "text"
  | "bytes"
  | "json"
  | "other";

/** A list or an object as JSON text. */
export class JsonText {
  /** The text. */
  readonly text: string;

  /** `text` must be JSON. */
  constructor(text: string) {
    this.text = text;
  }
}

/** A value that `toBound` has checked. */
export type Bound = null | string | number | bigint | boolean | Uint8Array | JsonText;

const LONE = "has half of a surrogate pair, which cannot be stored";

const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 64n - 1n;

/** More digits than any column can hold; a literal of more would be an approximate number. */
export const MOST_DIGITS = 65;

/**
 * Checks a value: dates become ISO 8601 text, lists and objects JSON text, undefined NULL.
 *
 * @throws {TypeError} It cannot be stored unchanged. The message completes a sentence that begins
 * with the value's name.
 */
export function toBound(value: unknown): Bound {
  switch (typeof value) {
    case "string":
      if (value.includes("\0")) throw new TypeError("has a NUL character, which cannot be stored");
      if (!value.isWellFormed()) throw new TypeError(LONE);
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`is ${value}, which cannot be stored`);
      return value;
    case "boolean":
      return value;
    case "bigint":
      if (value < SMALLEST || value > LARGEST) throw new TypeError("is beyond 64 bits");
      return value;
    case "undefined":
      return null;
    case "object":
      return fromObject(value);
    default:
      throw new TypeError(`is a ${typeof value}, which cannot be stored`);
  }
}

function fromObject(value: object | null): Bound {
  if (value === null || value instanceof Uint8Array || value instanceof JsonText) return value;
  let text: string | undefined;
  try {
    text = value instanceof Date ? value.toISOString() : JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`cannot be stored as text: ${shown((cause as Error).message)}`, { cause });
  }
  if (value instanceof Date) return text;
  // An object may say that it has no JSON.
  if (text === undefined) return null;
  // JSON writes nothing else as `\ud…`, but a text may hold these characters themselves.
  if (text.includes("\\ud") && hasLoneSurrogate(JSON.parse(text))) throw new TypeError(LONE);
  return new JsonText(text);
}

/**
 * The literal of a value for a column of this kind; `name` says what it is, such as `column "n"`.
 *
 * @throws {RefusedError} The column cannot hold it.
 */
export function toLiteral(value: Bound, kind: ColumnKind, name: string): string {
  if (value === null) return "NULL";
  switch (kind) {
    case "json":
      return textLiteral(toJson(value));
    case "bytes":
      return bytesLiteral(toBytes(value, name));
    case "whole":
      return wholeLiteral(value, name);
    case "time":
      return typeof value === "string"
        ? textLiteral(toServerTime(value) ?? value)
        : plainLiteral(value);
    case "text":
      return toTextLiteral(value);
    case "number":
    case "clock":
    case "other":
      return plainLiteral(value);
  }
}

/** A number is compared with a text as a number by the server, and 0 is equal to most texts then. */
function toTextLiteral(value: Exclude<Bound, null>): string {
  if (typeof value === "boolean") return value ? "'1'" : "'0'";
  if (typeof value === "number" || typeof value === "bigint") return textLiteral(String(value));
  return plainLiteral(value);
}

/**
 * A time of ISO 8601 with its zone as the server takes it: in UTC, with up to six digits of a second;
 * undefined for any other text.
 */
export function toServerTime(text: string): string | undefined {
  const found = ISO_TIME.exec(text);
  if (found === null) return undefined;
  const [, minutes, seconds = ":00", fraction = "", zone] = found;
  // The digits beyond a millisecond are not in a Date.
  // It would make the first of March of the thirtieth of February; the server refuses that.
  if (!isDay(minutes.slice(0, 10))) return undefined;
  const time = new Date(`${minutes.replace(" ", "T")}${seconds}${toZone(zone)}`);
  if (Number.isNaN(time.getTime())) return undefined;
  const iso = time.toISOString();
  // Years beyond 9999 begin with a sign.
  if (iso.length !== 24) return undefined;
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction.replace(",", ".").slice(0, 7)}`;
}

const ISO_TIME =
  /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d)(:\d\d)?([.,]\d{1,9})?([Zz]|[+-]\d\d(?::?\d\d)?)$/;

function isDay(date: string): boolean {
  const day = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
}

function toZone(zone: string): string {
  if (/^z$/i.test(zone)) return "Z";
  const [sign, digits] = [zone[0], zone.slice(1).replace(":", "").padEnd(4, "0")];
  return `${sign}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

function toJson(value: Exclude<Bound, null>): string {
  if (value instanceof JsonText) return value.text;
  if (typeof value === "bigint") return String(value);
  return JSON.stringify(
    value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
  );
}

function toBytes(value: Exclude<Bound, null>, name: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const kind = value instanceof JsonText ? kindName(JSON.parse(value.text)) : kindName(value);
  if (typeof value !== "string") {
    throw new RefusedError(`${name}: is ${kind}, and bytes are stored from Base64 text`);
  }
  if (!BASE64.test(value)) {
    throw new RefusedError(`${name}: is not Base64, from which bytes are stored`);
  }
  return Buffer.from(value, "base64");
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;

function wholeLiteral(value: Exclude<Bound, null>, name: string): string {
  if (typeof value === "string") {
    const text = value.trim();
    // As digits, since a BIT column would take the characters of a text for its bits.
    if (WHOLE.test(text) && text.length <= MOST_DIGITS) return text;
    if (FRACTION.test(text) && !Number.isInteger(Number(text))) throw notWhole(name, quoted(value));
  } else if (typeof value === "number" && !Number.isInteger(value)) {
    throw notWhole(name, String(value));
  }
  return plainLiteral(value);
}

const WHOLE = /^[+-]?\d+$/;
/** A number as SQL writes it. */
export const FRACTION = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** The error of a number that a whole one should be; `value` is shown as it is. */
export function notWhole(name: string, value: string): RefusedError {
  return new RefusedError(`${name}: is ${value}, which is no whole number`);
}

function plainLiteral(value: Exclude<Bound, null>): string {
  if (typeof value === "string") return textLiteral(value);
  if (value instanceof JsonText) return textLiteral(value.text);
  if (value instanceof Uint8Array) return bytesLiteral(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "bigint") return String(value);
  if (Number.isSafeInteger(value)) return String(value);
  const text = String(value);
  // A DOUBLE, as JavaScript's numbers are: without an exponent it would be a DECIMAL.
  return text.includes("e") ? text : `${text}e0`;
}

/** In hexadecimal digits where there is a backslash: what it means depends on the server's mode. */
function textLiteral(text: string): string {
  if (text.includes("\\")) return `_utf8mb4 X'${Buffer.from(text).toString("hex")}'`;
  return `'${text.replaceAll("'", "''")}'`;
}

function bytesLiteral(bytes: Uint8Array): string {
  // Without the introducer it is a number where one is needed.
  return `_binary X'${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")}'`;
}
