/** Where the log goes when Weir is a program: to standard error, a line a record. */
import {
  configure,
  getJsonLinesFormatter,
  getTextFormatter,
  type LogRecord,
} from "@logtape/logtape";
import process from "node:process";
import type { LogFormat, LogLevel } from "../arguments.ts";
import { withoutDetails } from "./errors.ts";

/** Shows the log from a level on. */
export async function configureLog(lowestLevel: LogLevel, format: LogFormat): Promise<void> {
  const formatter = format === "json"
    ? getJsonLinesFormatter()
    : getTextFormatter({ value: "bare" });
  const console = (record: LogRecord): void => {
    // Below that level nobody has asked to see what events are made of.
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
