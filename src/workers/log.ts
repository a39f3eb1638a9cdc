/** The log of a worker, which goes to the log of its supervisor. */
import { configure, getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warning", "error", "fatal"];

/** A record on its way. */
export interface RelayedRecord {
  readonly category: readonly string[];
  readonly level: LogLevel;
  /** With `{name}` for properties. */
  readonly message: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What stands for an error among the properties. */
interface RelayedError {
  readonly $error: {
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly code: string | undefined;
    readonly cause: unknown;
  };
}

/** From which level on anybody reads the log of this process; undefined where nobody does. */
export function lowestLevel(): LogLevel | undefined {
  const logger = getLogger(["weir"]);
  return LEVELS.find((level) => logger.isEnabledFor(level));
}

/** Hands all records of this process from a level on to `send`. */
export async function relayLog(
  lowestLevel: LogLevel,
  worker: number,
  send: (record: RelayedRecord) => void,
): Promise<void> {
  const supervisor = ({ category, level, rawMessage, properties }: LogRecord): void => {
    const message = typeof rawMessage === "string" ? rawMessage : rawMessage.join("{}");
    const wired = Object.entries(properties).map(([name, value]) => [name, toWire(value)]);
    send({ category, level, message, properties: { ...Object.fromEntries(wired), worker } });
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

function toWire(value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  const code = "code" in value && typeof value.code === "string" ? value.code : undefined;
  return { $error: { name, message, stack, code, cause: toWire(cause) } } satisfies RelayedError;
}

function fromWire(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("$error" in value)) return value;
  const { name, message, stack, code, cause } = (value as RelayedError).$error;
  const error = new Error(message, cause === undefined ? {} : { cause: fromWire(cause) });
  return Object.assign(error, { name, stack }, code === undefined ? {} : { code });
}
