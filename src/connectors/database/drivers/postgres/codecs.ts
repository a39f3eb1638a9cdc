/** Values on their way into PostgreSQL and out of it, as the text that its types have. */
import { Buffer } from "node:buffer";
import { kindName, shown } from "../../../../base/shown.ts";
import { fromTimestamp, toTimestamp, toZonelessTimestamp } from "./timestamps.ts";

/** How the values of a type are written and read. */
export interface Codec {
  /**
   * The text that the type takes for a value that is neither null nor undefined.
   *
   * @throws {TypeError} The type cannot hold it. The message completes a sentence that begins with
   * the value's name.
   */
  readonly encode: (value: unknown) => string;
  /** What JSON has for a text of the type; undefined where that is the text itself. */
  readonly decode: ((text: string) => unknown) | undefined;
  /** The character between the elements of a list; `,` by default. */
  readonly delimiter?: string;
  /** True where a list is a value of it, and so no level of an array. */
  readonly takesLists?: boolean;
}

const LONE = "has half of a surrogate pair, which cannot be stored";
const NUL = "has a NUL character, which cannot be stored";
/** What JSON writes for a NUL and for half of a surrogate pair, after a backslash that counts. */
const UNSTORABLE = /(?:^|[^\\])(?:\\\\)*\\u(0000|d[89a-f])/;

/**
 * What can be done with a value before the type of its parameter is known: little.
 *
 * @throws {TypeError} No type takes it; as `encode` of a codec.
 */
export function bind(value: unknown): unknown {
  if (value === undefined) return null;
  if (typeof value === "function" || typeof value === "symbol") {
    throw new TypeError(`is a ${typeof value}, which cannot be stored`);
  }
  return value;
}

/**
 * The text itself.
 *
 * @throws {TypeError} PostgreSQL cannot store it; as `encode` of a codec.
 */
export function checked(text: string): string {
  if (text.includes("\0")) throw new TypeError(NUL);
  if (!text.isWellFormed()) throw new TypeError(LONE);
  return text;
}

/** JSON of any value. */
function toJson(value: unknown): string {
  if (typeof value === "number") return finite(value);
  if (typeof value === "bigint") return String(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`cannot be stored as JSON: ${shown((cause as Error).message)}`, { cause });
  }
  if (text === undefined) throw new TypeError(`is a ${typeof value}, which cannot be stored`);
  const [, found] = text.includes("\\u") ? UNSTORABLE.exec(text) ?? [] : [];
  if (found !== undefined) throw new TypeError(found === "0000" ? NUL : LONE);
  return text;
}

function finite(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`is ${value}, which cannot be stored`);
  return String(value);
}

/** Text of any value: what a type without a conversion of its own gets. */
function toText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return checked(value);
    case "number":
      return finite(value);
    case "boolean":
    case "bigint":
      return String(value);
    default:
      if (value instanceof Date) return toTimestamp(value);
      if (value instanceof Uint8Array) refuse(value, "text");
      return toJson(value);
  }
}

function refuse(value: unknown, wanted: string): never {
  const kind = value instanceof Uint8Array
    ? "bytes"
    : value instanceof Date
    ? "a date"
    : typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : kindName(value);
  throw new TypeError(`is ${kind}, and must be ${wanted}`);
}

/** Whole numbers of that many bits. */
function integers(bits: number, decode: (text: string) => unknown): Codec {
  const most = 2n ** BigInt(bits - 1) - 1n;
  const [low, high] = [-Number(most) - 1, Number(most)];
  const beyond = (value: unknown) => new TypeError(`is ${value}, which is beyond ${bits} bits`);
  return {
    decode,
    encode(value) {
      if (typeof value === "number") {
        if (!Number.isInteger(value)) refuse(value, "a whole number");
        // 2^63 as a number is one more than the largest.
        if (value < low || value > high || value === 2 ** 63) throw beyond(value);
        return Number.isSafeInteger(value) ? String(value) : String(BigInt(value));
      }
      if (typeof value === "bigint") {
        if (value < -most - 1n || value > most) throw beyond(value);
        return String(value);
      }
      return typeof value === "string" ? checked(value) : refuse(value, "a whole number");
    },
  };
}

/** Numbers that may be NaN or infinite; the server knows which. */
function toNumber(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  return typeof value === "string" ? checked(value) : refuse(value, "a number");
}

/** The server's own input function takes `0` and `1`. */
function toBoolean(value: unknown): string {
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "string") return checked(value);
  return value === 0 || value === 1 ? String(value) : refuse(value, "true or false");
}

function toBytes(value: unknown): string {
  if (value instanceof Uint8Array) {
    const { buffer, byteOffset, byteLength } = value;
    return `\\x${Buffer.from(buffer, byteOffset, byteLength).toString("hex")}`;
  }
  if (typeof value !== "string") refuse(value, "Base64 text");
  const bytes = Buffer.from(value, "base64");
  // Buffer skips what is not Base64.
  if (bytes.toString("base64") !== value) throw new TypeError("is not Base64, as bytes must be");
  return `\\x${bytes.toString("hex")}`;
}

/** `encode` for texts and dates, which are all that a type of time takes. */
function times(encode: (value: string | Date) => string) {
  return (value: unknown): string => {
    if (value instanceof Date) return encode(value);
    return typeof value === "string" ? encode(checked(value)) : refuse(value, "ISO 8601 text");
  };
}

/** An integer as a number, or as text where a number would not be exact. */
function fromLong(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

/** JSON has neither NaN nor Infinity: they stay text. */
function fromFloat(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

function fromBytes(text: string): string {
  // Anything else is the old format, which a statement of the user's has asked for.
  return text.startsWith("\\x") ? Buffer.from(text.slice(2), "hex").toString("base64") : text;
}

const json: Codec = { encode: toJson, decode: (text) => JSON.parse(text), takesLists: true };
const float: Codec = { encode: toNumber, decode: fromFloat };

/** Types that are text for JSON, too. */
export const plain: Codec = { encode: toText, decode: undefined };

/** The codec of each type that is not `plain`, by its name in pg_type. */
export const codecs: Readonly<Record<string, Codec>> = {
  bool: { encode: toBoolean, decode: (text) => text === "t" },
  bytea: { encode: toBytes, decode: fromBytes },
  int2: integers(16, Number),
  int4: integers(32, Number),
  int8: integers(64, fromLong),
  oid: { encode: toNumber, decode: Number },
  float4: float,
  float8: float,
  numeric: { encode: toNumber, decode: undefined },
  json,
  jsonb: json,
  date: { encode: times(toTimestamp), decode: undefined },
  timestamp: { encode: times(toZonelessTimestamp), decode: fromTimestamp },
  timestamptz: { encode: times(toTimestamp), decode: fromTimestamp },
};
