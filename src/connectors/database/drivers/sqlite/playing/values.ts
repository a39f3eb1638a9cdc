/** Values on their way into a played database and out of it, by the declared types of columns. */
import { Buffer } from "node:buffer";
import type { SQLInputValue } from "node:sqlite";
import { shown } from "../../../../../base/shown.ts";
import type { Syntax } from "../../../driver.ts";
import { toSql } from "../values.ts";
import { arrayOf } from "./array-text.ts";
import { toDay, toMoment } from "./moments.ts";
import type { Kind } from "./types.ts";

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const TRUE: readonly unknown[] = [true, 1, 1n, "1", "true", "t"];
const FALSE: readonly unknown[] = [false, 0, 0n, "0", "false", "f"];

/**
 * What is stored for a value in a column.
 *
 * @throws {TypeError} The column of the real database would refuse it. The message completes a
 * sentence that begins with the value's name.
 */
export function toStored(
  value: unknown,
  kind: Kind | undefined,
  syntax: Syntax,
): SQLInputValue {
  if (value === null || value === undefined || kind === undefined) return toSql(value);
  switch (kind.name) {
    case "boolean":
      if (TRUE.includes(value)) return 1n;
      if (FALSE.includes(value)) return 0n;
      throw refusal(value, "is neither true nor false");
    case "integer":
      // MySQL's booleans are whole numbers.
      return toSql(syntax === "mysql" && typeof value === "boolean" ? value : toWhole(value));
    case "double":
    case "numeric":
      if (typeof value === "string" && DECIMAL.test(value)) return value;
      if (typeof value === "number" || typeof value === "bigint") return toSql(value);
      throw refusal(value, "is no number");
    case "json":
    case "list":
      if (kind.name === "list" && !Array.isArray(value)) throw refusal(value, "is no list");
      // A text is JSON text as well; toSql finds what cannot be stored.
      return typeof value === "string"
        ? JSON.stringify(toSql(value))
        : toSql(typeof value === "object" ? value : JSON.stringify(value));
    case "bytes":
      if (value instanceof Uint8Array) return value;
      if (typeof value === "string" && BASE64.test(value)) return Buffer.from(value, "base64");
      throw refusal(value, "is no Base64 text, which a column of bytes takes");
    case "timestamp":
      return toMoment(value, kind.digits) ?? fail(value, "is no time in ISO 8601");
    case "date":
      return toDay(value) ?? fail(value, "is no date such as 2026-01-01");
    case "text":
      return syntax === "postgres" && typeof value === "boolean" ? String(value) : toSql(value);
  }
}

/** What a flow sees of a value that was read: JSON can hold `value` already. */
export function toShown(value: unknown, kind: Kind): unknown {
  if (value === null) return null;
  switch (kind.name) {
    case "boolean":
      return value === 1 ? true : value === 0 ? false : value;
    case "numeric":
      return typeof value === "number" && kind.digits !== undefined
        ? value.toFixed(kind.digits)
        : String(value);
    case "json":
      return typeof value === "string" ? parsed(value) : value;
    case "list": {
      // What the text of an SQL statement has is an array as PostgreSQL writes it.
      const list = typeof value !== "string" ? value : arrayOf(value, kind.of) ?? parsed(value);
      if (!Array.isArray(list)) return list;
      return list.map((item) => toShown(item, Array.isArray(item) ? kind : kind.of));
    }
    case "timestamp":
      return toMoment(value, kind.digits, kind.shown) ?? value;
    case "date":
      return toDay(value) ?? value;
    case "text":
      // SQLite makes a number of a text that looks like one, where it does not know the type.
      return typeof value === "number" ? String(value) : value;
    default:
      return value;
  }
}

function toWhole(value: unknown): unknown {
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return value;
  if (typeof value === "string" && WHOLE.test(value)) return BigInt(value);
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  throw refusal(value, "is no whole number");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function fail(value: unknown, problem: string): never {
  throw refusal(value, problem);
}

function refusal(value: unknown, problem: string): TypeError {
  if (typeof value === "number" && !Number.isFinite(value)) {
    return new TypeError(`is ${value}, which cannot be stored`);
  }
  const text = typeof value === "object" ? JSON.stringify(value) : value;
  return new TypeError(`is ${shown(text)}, which ${problem}`);
}
