/** Values on their way into SQLite and out of it. */
import { shown } from "../../../../base/shown.ts";
import { Buffer } from "node:buffer";
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import { hasLoneSurrogate } from "../../../../base/json.ts";

const SMALLEST = -(2n ** 63n);
const LARGEST = 2n ** 63n - 1n;

/** SQLite, or its JSON functions, would make another character of it. */
const LONE = "has half of a surrogate pair, which cannot be stored";

/**
 * What is bound for a value: booleans as 0 and 1, whole numbers as integers, dates as ISO 8601 text,
 * bytes as a blob, objects and lists as JSON text, undefined as NULL.
 *
 * @throws {TypeError} It cannot be stored unchanged. The message completes a sentence that begins
 * with the value's name.
 */
export function toSql(value: unknown): SQLInputValue {
  switch (typeof value) {
    case "string":
      // Deno would cut it there, when it is read.
      if (value.includes("\0")) throw new TypeError("has a NUL character, which cannot be stored");
      if (!value.isWellFormed()) throw new TypeError(LONE);
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new TypeError(`is ${value}, which cannot be stored`);
      // A plain number is bound as a real, which a text column would show as "1.0".
      return Number.isSafeInteger(value) ? BigInt(value) : value;
    case "boolean":
      return value ? 1n : 0n;
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

/** A row as JSON can hold it: integers beyond 2^53 as text, blobs as Base64 text. */
export function toRow(found: Readonly<Record<string, SQLOutputValue>>): Record<string, unknown> {
  // A spread defines each property, so that a column named __proto__ is one like any other.
  const row: Record<string, unknown> = { ...found };
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (typeof value === "bigint") row[name] = toInteger(value);
    else if (value instanceof Uint8Array) row[name] = Buffer.from(value).toString("base64");
  }
  return row;
}

/** The same of a row without names; it has no more columns than values. */
export function toNamedRow(
  names: readonly string[],
  values: readonly SQLOutputValue[],
): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  const length = Math.min(names.length, values.length);
  for (let index = 0; index < length; index++) {
    const name = names[index];
    const value = toJsonValue(values[index]);
    // An assignment would set the prototype.
    if (name === "__proto__") Object.defineProperty(row, name, { value, ...PLAIN });
    else row[name] = value;
  }
  return row;
}

const PLAIN = { configurable: true, enumerable: true, writable: true };

/** A value as JSON can hold it: an integer beyond 2^53 as text, a blob as Base64 text. */
function toJsonValue(value: SQLOutputValue): null | number | string {
  if (typeof value === "bigint") return toInteger(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

/** A number, or text where a number would not be exact. */
export function toInteger(value: bigint | number): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

function fromObject(value: object | null): SQLInputValue {
  if (value === null) return null;
  if (value instanceof Uint8Array) return value;
  let text: string;
  try {
    text = value instanceof Date ? value.toISOString() : JSON.stringify(value);
  } catch (cause) {
    throw new TypeError(`cannot be stored as text: ${shown((cause as Error).message)}`, { cause });
  }
  // JSON writes nothing else as `\ud…`, but a text may hold these characters themselves.
  if (text.includes("\\ud") && hasLoneSurrogate(JSON.parse(text))) throw new TypeError(LONE);
  return text;
}
