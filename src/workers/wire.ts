/** Any value as JSON, with its errors: what a log is told may hold anything. */
import { ConnectorError } from "../base/errors.ts";

/** A value on its way between processes. */
export type Wired = { readonly value?: unknown } | { readonly error: ErrorParts };

/** What is kept of an error, which does not survive the way. */
export interface ErrorParts {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly cause: Wired;
  /** The connector of a `ConnectorError`. */
  readonly connector: string | undefined;
  readonly permanent: boolean | undefined;
}

/** Takes an error apart; anything else becomes what JSON can say of it. */
export function toWire(value: unknown, around: readonly unknown[] = []): Wired {
  // An error can be its own cause.
  if (!(value instanceof Error) || around.includes(value)) return { value: plain(value) };
  const { name, message, stack } = value;
  const { code, connector, permanent } = value as Partial<Record<keyof ErrorParts, unknown>>;
  return {
    error: {
      name,
      message,
      stack,
      code: typeof code === "string" ? code : undefined,
      cause: toWire(value.cause, [...around, value]),
      connector: value instanceof ConnectorError ? connector as string : undefined,
      permanent: permanent === true,
    },
  };
}

/** Makes of it what it was. */
export function fromWire(wired: Wired): unknown {
  if (!("error" in wired)) return wired.value;
  const { name, message, stack, code, connector, permanent } = wired.error;
  const cause = fromWire(wired.error.cause);
  const options = { permanent: permanent ?? false, ...(cause === undefined ? {} : { cause }) };
  if (connector !== undefined) {
    // The error says again which connector it is.
    const prefix = `connector "${connector}": `;
    const text = message.startsWith(prefix) ? message.slice(prefix.length) : message;
    return Object.assign(new ConnectorError(connector, text, options), { stack });
  }
  const error = Object.assign(new Error(message, options), { name, stack });
  return code === undefined ? error : Object.assign(error, { code });
}

/** What JSON can say of a value, and text for what it cannot. */
function plain(value: unknown, around: readonly unknown[] = []): unknown {
  switch (typeof value) {
    case "bigint":
    case "symbol":
    case "function":
      return String(value);
    case "object":
      break;
    default:
      return value;
  }
  if (value === null) return null;
  if (around.includes(value)) return "[circular]";
  if (value instanceof Error) return String(value);
  const within = [...around, value];
  if (Array.isArray(value)) return value.map((item) => plain(item, within));
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON === "function") return plain(toJSON.call(value), within);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, plain(item, within)]),
  );
}
