/** Messages: what a broker delivers as an event for flows, and what a write publishes. */
import { ConnectorError } from "../../base/errors.ts";
import { hasLoneSurrogate, isObject } from "../../base/json.ts";
import { quoted, shown } from "../../base/shown.ts";
import { isLongerThan } from "../../base/text.ts";
import type { FlowEvent, WriteRequest } from "../../contract/connector.ts";
import type { Expression, Scope } from "../../expression/mod.ts";

/** A message that was delivered, whatever broker it came from. */
export interface Message {
  /** The operation of its event: what the operations of flows are matched with. */
  readonly key: string;
  /** The body, parsed. */
  readonly body: unknown;
  /** What flows see on `input` beside the body: the driver's `metadata` without `body`. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A message as flows see it. Several flows may share one event. */
export class MessageEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly #metadata: Message["metadata"];
  #input: Readonly<Record<string, unknown>> | undefined;

  /** Copies nothing. */
  constructor({ key, body, metadata }: Message) {
    this.operation = key;
    this.payload = body;
    this.#metadata = metadata;
  }

  /** The fields of the body and the message's metadata, which wins; made on first use. */
  get input(): Readonly<Record<string, unknown>> {
    if (this.#input === undefined) {
      const fields = isObject(this.payload) ? this.payload : {};
      // Spreading defines its keys one by one, so that "__proto__" is a key like any other.
      this.#input = { ...fields, body: this.payload, ...this.#metadata };
    }
    return this.#input;
  }

  get metadata(): ReadonlySet<string> {
    return new Set(["body", ...Object.keys(this.#metadata)]);
  }
}

/** Headers of a dead letter: where it came from, why it is one, and how often it was redelivered. */
export const ROUTING_KEY = "x-weir-routing-key";
export const EXCHANGE = "x-weir-exchange";
const REASON = "x-weir-reason";
const RETRIES = "x-weir-retries";

/** How long a header of ours is at most, in characters: all of them fit into 8 KB together. */
export const LONGEST_HEADER = 500;

/** Those headers. */
export function deadLetterHeaders(
  { routingKey, exchange }: { readonly routingKey: string; readonly exchange: string },
  reason: string,
  retries: number,
): Readonly<Record<string, string | number>> {
  return {
    [ROUTING_KEY]: routingKey,
    [EXCHANGE]: exchange,
    [REASON]: reason.slice(0, LONGEST_HEADER),
    [RETRIES]: retries,
  };
}

/** The attributes of a `to` block, or what the caller of `runtime.publish` passed. */
export interface MessageOptions {
  /** Values, or expressions for them. */
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
 * @throws {ConnectorError} The payload is not JSON, the routing key has more than `longestKey` bytes,
 * or the key or a header would be changed on the way.
 */
export function toPublication(
  connector: string,
  longestKey: number,
  { target = "", payload, options, scope }: WriteRequest<MessageOptions>,
): Publication {
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
  return { routingKey: target, body: toJson(connector, payload), headers };
}

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
