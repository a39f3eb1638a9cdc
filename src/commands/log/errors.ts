/** Errors as a log may show them. */
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
  const { cause } = value;
  const error = new Error(value.message, cause === undefined ? {} : { cause: plain(cause) });
  const code = "code" in value && typeof value.code === "string" ? { code: value.code } : {};
  return Object.assign(error, { name: value.name, stack: value.stack }, code);
}
