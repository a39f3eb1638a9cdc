/** Relays the log of a worker to its supervisor. */
import { configure, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { fromWire, toWire, type Wired } from "./wire.ts";

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warning", "error", "fatal"];

/** A log record as it is sent. */
export interface RelayedRecord {
  readonly category: readonly string[];
  readonly level: LogLevel;
  /** With a placeholder `{name}` for each property. */
  readonly message: string;
  readonly properties: Readonly<Record<string, Wired>>;
}

/** The lowest level that this process logs; undefined if it logs nothing. */
export function lowestLevel(): LogLevel | undefined {
  const logger = getLogger(["weir"]);
  return LEVELS.find((level) => logger.isEnabledFor(level));
}

/**
 * Passes the records of this process to `send`, from a level on. While the receiver is `behind`,
 * records are dropped; the next one reports their number.
 */
export async function relayLog(
  lowestLevel: LogLevel,
  worker: number,
  send: (record: RelayedRecord) => void,
  behind: () => boolean = () => false,
): Promise<void> {
  let dropped = 0;
  const supervisor = ({ category, level, rawMessage, properties }: LogRecord): void => {
    if (behind()) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      const properties = { count: { value: dropped }, worker: { value: worker } };
      const message = "dropped {count} log records: the log cannot keep up";
      send({ category: ["weir", "workers"], level: "warning", message, properties });
      dropped = 0;
    }
    const message = typeof rawMessage === "string" ? rawMessage : rawMessage.join("{}");
    const wired = Object.entries({ ...properties, worker })
      .map(([name, value]) => [name, toWire(value)]);
    send({ category, level, message, properties: Object.fromEntries(wired) });
  };
  await configure({
    sinks: { supervisor },
    loggers: [
      { category: "weir", lowestLevel, sinks: ["supervisor"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["supervisor"] },
    ],
  });
}

/** Logs the record of a worker in this process. */
export function logRelayed({ category, level, message, properties }: RelayedRecord): void {
  const read = Object.entries(properties).map(([name, value]) => [name, fromWire(value)]);
  getLogger([...category])[level](message, Object.fromEntries(read));
}
