/** What a write request comes to as a message, the same for every broker. */
import { quoted, shown } from "../../base/shown.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import { ConnectorError } from "../../base/errors.ts";
import type { Expression, Scope } from "../../expression/mod.ts";
import { hasLoneSurrogate } from "../../base/json.ts";
import { isTooLong } from "./topic.ts";

/** The attributes of a `to` block, or what the library's user gave. */
export interface PublishOptions {
  /** Values, or expressions that give them. */
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** A message to be published. */
export interface Publication {
  readonly routingKey: string;
  /** JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * Makes a message of a write request.
 *
 * @throws {ConnectorError} The payload is not JSON, the routing key is too long, or the key or a header
 * would be changed on the way.
 */
export function toPublication(
  connector: string,
  { target = "", payload, options, scope }: WriteRequest<PublishOptions>,
): Publication {
  if (isTooLong(target)) {
    const message = `the routing key ${quoted(target)} has more than 255 bytes`;
    throw new ConnectorError(connector, message, { permanent: true });
  }
  // The protocol carries UTF-8; a body of JSON writes such characters in another way.
  if (!target.isWellFormed()) throw changed(connector, "the routing key");
  const headers = options.headers === undefined
    ? NO_HEADERS
    : evaluateHeaders(options.headers, scope);
  if (hasLoneSurrogate(headers)) throw changed(connector, "a header");
  return { routingKey: target, body: toJson(connector, "the payload", payload), headers };
}

function changed(connector: string, what: string): ConnectorError {
  const message = `${what} has half of a surrogate pair, which cannot be sent`;
  return new ConnectorError(connector, message, { permanent: true });
}

const NO_HEADERS: Readonly<Record<string, unknown>> = Object.freeze({});

/**
 * JSON text; what JSON has no word for is null.
 *
 * @throws {ConnectorError} It holds a cycle or a BigInt.
 */
export function toJson(connector: string, what: string, value: unknown): string {
  try {
    return JSON.stringify(value) ?? "null";
  } catch (cause) {
    const message = `${what} cannot be written as JSON: ${shown(cause)}`;
    throw new ConnectorError(connector, message, { cause, permanent: true });
  }
}

function evaluateHeaders(
  headers: Readonly<Record<string, unknown>>,
  scope: Scope,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isExpression(value) ? value.evaluate(scope) : value,
    ]),
  );
}

/** Data holds no functions, so nothing else has an `evaluate` to call. */
function isExpression(value: unknown): value is Expression {
  return typeof value === "object" && value !== null && "evaluate" in value &&
    typeof value.evaluate === "function";
}
