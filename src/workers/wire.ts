/** Values, errors and results as JSON, for the way between two processes. */
import { ConnectorError } from "../base/errors.ts";

/** A value or an error in JSON. */
export type Wired = { readonly value?: unknown } | { readonly error: ErrorParts };

/** The parts of an error that are sent. */
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

/** The value of a call, or its error. */
export type Result<T> =
  | { readonly value: T }
  | { readonly failure: Wired };

/** The result of a function; never rejects. */
export async function resultOf<T>(act: () => Promise<T>): Promise<Result<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    return { failure: toWire(error instanceof Error ? error : new Error(String(error))) };
  }
}

/** The value of a result. Throws its error if it is a failure. */
export function valueOf<T>(result: Result<T>): T {
  if ("value" in result) return result.value;
  throw fromWire(result.failure);
}

/** Takes an error apart; anything else becomes JSON, as far as it can. */
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

/** Restores what `toWire` has taken apart. */
export function fromWire(wired: Wired): unknown {
  if (!("error" in wired)) return wired.value;
  const { name, message, stack, code, connector, permanent } = wired.error;
  const cause = fromWire(wired.error.cause);
  const options = {
    code,
    permanent: permanent ?? false,
    ...(cause === undefined ? {} : { cause }),
  };
  if (connector !== undefined) {
    // The error adds its prefix again.
    const prefix = `connector "${connector}": `;
    const text = message.startsWith(prefix) ? message.slice(prefix.length) : message;
    return Object.assign(new ConnectorError(connector, text, options), { stack });
  }
  const error = Object.assign(new Error(message, options), { name, stack });
  return code === undefined ? error : Object.assign(error, { code });
}

/** A value as JSON, and as text where JSON has nothing for it. */
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
