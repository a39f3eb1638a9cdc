/** Errors as a log may show them. */
import { shownWords } from "../../base/shown.ts";
import type { LogRecord } from "@logtape/logtape";

/**
 * The record with nothing of its errors but name, message, stack, code and causes. Libraries put
 * what they were given into other properties of theirs: a token's claims, a row's values.
 */
export function withoutDetails(record: LogRecord): LogRecord {
  const properties = Object.entries(record.properties).map(([name, value]) => [name, plain(value)]);
  return {
    ...record,
    message: record.message.map(plain),
    properties: Object.fromEntries(properties),
  };
}

function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return copy(value, value.message, value.stack);
}

/** What another program or library says may hold values: its words are cut, and its stack is ours. */
function plainCause(cause: unknown): unknown {
  if (!(cause instanceof Error)) return typeof cause === "string" ? shownWords(cause) : cause;
  const message = shownWords(cause.message);
  const head = `${cause.name}: ${cause.message}`;
  const frames = cause.stack?.startsWith(head) ? cause.stack.slice(head.length) : "";
  return copy(cause, message, `${cause.name}: ${message}${frames}`);
}

function copy(value: Error, message: string, stack: string | undefined): Error {
  const { cause } = value;
  const error = new Error(message, cause === undefined ? {} : { cause: plainCause(cause) });
  const code = "code" in value && typeof value.code === "string" ? { code: value.code } : {};
  return Object.assign(error, { name: value.name, stack }, code);
}
