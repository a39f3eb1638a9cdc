/** The log of a worker, which goes to the log of its supervisor. */
import { configure, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { fromWire, toWire, type Wired } from "./wire.ts";

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warning", "error", "fatal"];

/** A record on its way. */
export interface RelayedRecord {
  readonly category: readonly string[];
  readonly level: LogLevel;
  /** With `{name}` for properties. */
  readonly message: string;
  readonly properties: Readonly<Record<string, Wired>>;
}

/** From which level on anybody reads the log of this process; undefined where nobody does. */
export function lowestLevel(): LogLevel | undefined {
  const logger = getLogger(["weir"]);
  return LEVELS.find((level) => logger.isEnabledFor(level));
}

/**
 * Hands all records of this process from a level on to `send`, but for those that come while it is
 * `behind`: the next one tells how many they were.
 */
export async function relayLog(
  lowestLevel: LogLevel,
  worker: number,
  send: (record: RelayedRecord) => void,
  behind: () => boolean = () => false,
): Promise<void> {
  let leftOut = 0;
  const supervisor = ({ category, level, rawMessage, properties }: LogRecord): void => {
    if (behind()) {
      leftOut++;
      return;
    }
    if (leftOut > 0) {
      const properties = { count: { value: leftOut }, worker: { value: worker } };
      const message = "{count} records are left out: the log is slower than what is logged";
      send({ category: ["weir", "workers"], level: "warning", message, properties });
      leftOut = 0;
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

/** Logs a worker's record as if it were of this process. */
export function logRelayed({ category, level, message, properties }: RelayedRecord): void {
  const read = Object.entries(properties).map(([name, value]) => [name, fromWire(value)]);
  getLogger([...category])[level](message, Object.fromEntries(read));
}
