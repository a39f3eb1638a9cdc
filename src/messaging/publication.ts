/** Makes the message of a write: its key, body and headers, as every broker can send them. */
import { ConnectorError } from "../base/errors.ts";
import { hasLoneSurrogate } from "../base/json.ts";
import { kindName, quoted, shown } from "../base/shown.ts";
import { isLongerThan } from "../base/text.ts";
import { withTrace } from "../base/trace-context.ts";
import type { WriteRequest } from "../contract/connector.ts";
import type { Expression, Scope } from "../expression/mod.ts";
import type { MessageOptions, Publication } from "./message.ts";

/**
 * Makes a message of a write request.
 *
 * @throws {ConnectorError} The payload is not JSON, the routing key has more than `longestKey` bytes,
 * or the key or a header would be changed on the way.
 */
export function toPublication(
  connector: string,
  longestKey: number,
  request: WriteRequest<MessageOptions>,
): Publication {
  const { target = "", payload, options, scope } = request;
  if (isLongerThan(target, longestKey)) {
    const message = `the routing key ${quoted(target)} has more than ${longestKey} bytes`;
    throw new ConnectorError(connector, message, { permanent: true });
  }
  // The protocol carries UTF-8; a body of JSON writes such characters in another way.
  if (!target.isWellFormed()) throw changed(connector, "the routing key");
  const headers = options.headers === undefined
    ? NO_HEADERS
    : evaluateHeaders(options.headers, scope);
  if (hasLoneSurrogate(headers)) throw changed(connector, "a header");
  const messageId = idOf(connector, options.message_id, scope);
  const body = toJson(connector, payload);
  return { routingKey: target, body, headers: withTrace(headers, request), messageId };
}

/** The request without its trace, for a message that has no headers. */
export function untraced<O>(request: WriteRequest<O>): WriteRequest<O> {
  const { traceparent: _, tracestate: __, ...others } = request;
  return others;
}

/** How many characters an id has at most: AMQP writes its length in one byte. */
const LONGEST_ID = 255;

function idOf(connector: string, given: unknown, scope: Scope): string | undefined {
  const id = isExpression(given) ? given.evaluate(scope) : given;
  if (id === undefined) return undefined;
  if (typeof id === "number" && Number.isFinite(id)) return String(id);
  if (typeof id === "string" && id !== "" && !isLongerThan(id, LONGEST_ID) && !CONTROL.test(id)) {
    if (!id.isWellFormed()) throw changed(connector, "the message_id");
    return id;
  }
  const found = typeof id === "string" ? quoted(id) : kindName(id);
  const message = `message_id must be a text of 1 to ${LONGEST_ID} bytes without control ` +
    `characters, not ${found}`;
  throw new ConnectorError(connector, message, { permanent: true });
}

// deno-lint-ignore no-control-regex -- these are what it looks for
const CONTROL = /[\0-\x1f\x7f]/;

function changed(connector: string, what: string): ConnectorError {
  const message = `${what} has half of a surrogate pair, which cannot be sent`;
  return new ConnectorError(connector, message, { permanent: true });
}

const NO_HEADERS: Readonly<Record<string, unknown>> = Object.freeze({});

/** JSON text; what JSON has no word for is null. */
function toJson(connector: string, payload: unknown): string {
  try {
    return JSON.stringify(payload) ?? "null";
  } catch (cause) {
    const message = `the payload cannot be written as JSON: ${shown(cause)}`;
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
