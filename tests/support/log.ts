/** A log that tests can read. */
import type { Logger } from "../../src/contract/connector.ts";

/** One record: its level, the message with its values, and the values. */
export interface LogRecord {
  readonly level: keyof Logger;
  readonly text: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A logger and what it was told. */
export interface Recorder {
  readonly logger: Logger;
  readonly records: LogRecord[];
}

/** Keeps everything that is logged. */
export function recorder(): Recorder {
  const records: LogRecord[] = [];
  const keep = (level: keyof Logger): Logger["info"] => (message, properties = {}) => {
    const text = message.replace(/\{(\w+)\}/g, (_, name) => String(properties[name]));
    records.push({ level, text, properties });
  };
  const logger: Logger = {
    trace: keep("trace"),
    debug: keep("debug"),
    info: keep("info"),
    warn: keep("warn"),
    error: keep("error"),
  };
  return { logger, records };
}
