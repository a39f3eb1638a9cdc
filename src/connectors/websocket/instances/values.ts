/**
 * Values as JSON, with marks for what JSON has nothing for: a filter must find the same values in
 * every instance.
 */
import { isObject } from "../../../base/json.ts";
import { fromBase64, toBase64 } from "../../../expression/bytes.ts";

/** The only key of an object that is the mark of a value. */
const MARK = "$value";

/** Writes a value as JSON. */
export function writeValue(value: unknown): string {
  return JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, key, plain) {
    // What has a `toJSON`, such as a Date, is text in `plain` already.
    return mark(this[key]) ?? plain;
  });
}

/**
 * Reads a value.
 *
 * @throws {SyntaxError} It is not what `writeValue` writes.
 */
export function readValue(text: string): unknown {
  return text.includes(MARK) ? JSON.parse(text, (_key, value) => unmark(value)) : JSON.parse(text);
}

function mark(value: unknown): object | undefined {
  if (typeof value === "bigint") return { [MARK]: ["whole number", String(value)] };
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { [MARK]: ["number", String(value)] };
  }
  if (value instanceof Date) return { [MARK]: ["time", String(value.getTime())] };
  if (value instanceof Uint8Array) return { [MARK]: ["bytes", toBase64(value)] };
  if (isObject(value) && Object.hasOwn(value, MARK)) {
    return { [MARK]: ["object", Object.entries(value)] };
  }
  return undefined;
}

function unmark(value: unknown): unknown {
  if (!isObject(value) || !Object.hasOwn(value, MARK)) return value;
  const marked: unknown = value[MARK];
  if (!Array.isArray(marked)) throw new SyntaxError("a mark is malformed");
  const [kind, content] = marked as readonly unknown[];
  if (kind === "object" && Array.isArray(content) && content.every(Array.isArray)) {
    return Object.fromEntries(content);
  }
  if (typeof content !== "string") throw new SyntaxError("a marked value is malformed");
  switch (kind) {
    case "whole number":
      return BigInt(content);
    case "number":
      return Number(content);
    case "time":
      return new Date(Number(content));
    case "bytes":
      return bytesOf(content);
    default:
      throw new SyntaxError("a mark is unknown");
  }
}

function bytesOf(text: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw new SyntaxError("marked bytes are malformed", { cause });
  }
}
