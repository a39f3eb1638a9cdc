/** Where the log goes when Weir is a program: to standard error, a line a record. */
import {
  configure,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
} from "@logtape/logtape";
import process from "node:process";
import type { LogFormat, LogLevel } from "./arguments.ts";

/** Shows the log from a level on. */
export async function configureLog(lowestLevel: LogLevel, format: LogFormat): Promise<void> {
  const formatter = format === "json"
    ? getJsonLinesFormatter()
    : getTextFormatter({ value: "bare" });
  const console = (record: LogRecord): void => void process.stderr.write(formatter(record));
  await configure({
    sinks: { console },
    loggers: [
      { category: "weir", lowestLevel, sinks: ["console"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
}
