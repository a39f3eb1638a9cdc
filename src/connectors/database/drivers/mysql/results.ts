/** Rows on their way out of a server: what the library reads becomes what JSON can hold. */
import { Buffer } from "node:buffer";
import type { Row } from "../../driver.ts";

/** A column of a result, as the library describes it. */
export interface Field {
  name: string;
  /** By this the library chooses how it reads the values. */
  columnType: number;
  /** What the server says; the library itself does not ask for it. */
  readonly type: number;
  /** `json` for a JSON column of MariaDB, whose type is that of a text. */
  readonly extendedFormat?: string;
}

/** A row as the library reads it, which is changed in place. */
export type RawRow = Record<string, unknown>;

/** The types of the protocol that need more than the library does. */
const TYPE = {
  float: 4,
  double: 5,
  timestamp: 7,
  bigint: 8,
  datetime: 12,
  bit: 16,
  json: 245,
  decimal: 246,
} as const;

/** Types whose values are numbers, or texts that stay as they are. */
const PLAIN = new Set([0, 1, 2, 3, 6, 9, 10, 11, 13, 246]);

type Convert = (value: unknown) => unknown;

/** Names of columns at which the library gives up, since an object has something else by them. */
const RESERVED = new Set([
  "__defineGetter__",
  "__defineSetter__",
  "__lookupGetter__",
  "__lookupSetter__",
  "__proto__",
]);

/** Before the name of such a column while the library reads it. No name has it. */
const ESCAPE = "\0";

/**
 * Changes how the library will read the rows of these columns. Its own reading of real numbers loses the
 * last bit of some that have 16 digits, so they are read as text.
 */
export function prepareFields(fields: readonly Field[]): void {
  for (const field of fields) {
    if (field.type === TYPE.float || field.type === TYPE.double) field.columnType = TYPE.decimal;
    if (RESERVED.has(field.name)) field.name = `${ESCAPE}${field.name}`;
  }
}

/** Converts rows in place. */
export function toRows(rows: RawRow[], fields: readonly Field[]): readonly Row[] {
  for (const field of fields) {
    const convert = converterOf(field);
    if (convert === undefined) continue;
    const { name } = field;
    for (const row of rows) {
      const value = row[name];
      if (value !== null) row[name] = convert(value);
    }
  }
  const reserved = fields.filter(({ name }) => name.startsWith(ESCAPE));
  return reserved.length === 0 ? rows : rows.map((row) => restoreNames(row, fields));
}

/** A property of that name like any other, in the place that it has among the columns. */
function restoreNames(row: RawRow, fields: readonly Field[]): Row {
  return Object.fromEntries(
    fields.map(({ name }) => [name.startsWith(ESCAPE) ? name.slice(1) : name, row[name]]),
  );
}

/** A number, or text where a number would not be exact. */
export function toInteger(value: unknown): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function converterOf({ type, extendedFormat }: Field): Convert | undefined {
  if (PLAIN.has(type)) return undefined;
  if (type === TYPE.json || extendedFormat === "json") return parseJson;
  if (type === TYPE.bigint) return toInteger;
  if (type === TYPE.float || type === TYPE.double) return Number;
  if (type === TYPE.datetime || type === TYPE.timestamp) return toIso;
  return type === TYPE.bit ? toBits : toBase64;
}

/** The zero date and dates with a part that is zero stay as they are: no calendar has them. */
function toIso(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const [date, time] = value.split(" ");
  if (time === undefined || /(?:^0000|-00)/.test(date)) return value;
  const [clock, fraction = ""] = time.split(".");
  return `${date}T${clock}.${fraction.padEnd(3, "0")}Z`;
}

function parseJson(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    // A function may say that its result is JSON where it is not.
    return value;
  }
}

function toBits(value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  return toInteger(value.reduce((bits, byte) => bits * 256n + BigInt(byte), 0n));
}

function toBase64(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}
