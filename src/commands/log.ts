/** The log of the `weir` command: one line of standard error for each record. */
import {
  configure,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
} from "@logtape/logtape";
import process from "node:process";
import { shownWords } from "../base/shown.ts";
import type { LogFormat, LogLevel } from "./arguments.ts";

/** Prints the log from a level on. */
export async function configureLog(lowestLevel: LogLevel, format: LogFormat): Promise<void> {
  const formatter = format === "json"
    ? getJsonLinesFormatter()
    : getTextFormatter({ value: "bare" });
  const console = (record: LogRecord): void => {
    // The content of events is for the level trace only.
    const shown = lowestLevel === "trace" ? record : withoutDetails(record);
    process.stderr.write(formatter(shown));
  };
  await configure({
    sinks: { console },
    loggers: [
      { category: "weir", lowestLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}

/**
 * The record with only name, message, stack, code and causes of its errors. Libraries put what they
 * were given into other properties, such as the claims of a token or the values of a row.
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

/** The message of a program or library may contain values, so it is shortened. */
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
