/** What comes from the broker as a message. */
import { Buffer } from "node:buffer";
import type { AsyncMessage } from "rabbitmq-client";
import { isDeeperThan, isObject, MAX_DEPTH } from "../../../../base/json.ts";
import type { Message } from "../../message.ts";
import type { Failure } from "../../subscriptions.ts";
import { propertiesIn } from "./encoding.ts";
import { unpack } from "./packing.ts";

/** Headers of a message that was moved: where it came from, and how often it has come again. */
export const ROUTING_KEY = "x-weir-routing-key";
export const EXCHANGE = "x-weir-exchange";
export const RETRIES = "x-weir-retries";
/** How many bytes in front of the body are the headers and properties of the message. */
export const PACKED = "x-weir-packed";

/** A message and what has happened to it so far. */
export interface Delivery {
  readonly routingKey: string;
  readonly exchange: string;
  /** How often it has been delivered again. */
  readonly retries: number;
  /** The message, unpacked. */
  readonly message: AsyncMessage;
  /** What flows get; a failure where it cannot be read. */
  readonly content: Message | Failure;
}

/** Reads a message that came from `queue`. */
export function readDelivery(received: AsyncMessage, queue: string): Delivery {
  const { [ROUTING_KEY]: key, [EXCHANGE]: exchange, [RETRIES]: count, [PACKED]: packed } =
    headersOf(received);
  // Only what was sent to this very queue has been moved; elsewhere these headers mean nothing.
  const moved = received.exchange === "" && received.routingKey === queue &&
    typeof key === "string";
  const origin = moved
    ? { routingKey: key, exchange: String(exchange ?? "") }
    : { routingKey: received.routingKey, exchange: received.exchange };
  // Others may send to the queue as well: a number that never ends would be a retry for ever.
  const retries = moved && Number.isSafeInteger(count) ? Math.max(0, Number(count)) : 0;
  const message = moved && packed !== undefined ? unpacked(received, Number(packed)) : received;
  if (message === undefined) {
    const content = { reason: "its packed headers cannot be read", permanent: true };
    return { ...origin, retries, message: received, content };
  }
  if (nestDeeperThan(message.headers, MAX_DEPTH)) {
    const content = { reason: `its headers nest deeper than ${MAX_DEPTH}`, permanent: true };
    return { ...origin, retries, message, content };
  }
  const body = parse(message);
  if ("reason" in body) return { ...origin, retries, message, content: body };
  const { [ROUTING_KEY]: _, [EXCHANGE]: __, [RETRIES]: ___, ...headers } = headersOf(message);
  const content = { ...origin, ...body, headers, properties: propertiesOf(message) };
  return { ...origin, retries, message, content };
}

/** The message with the headers and properties in front of its body; undefined where there are none. */
function unpacked(message: AsyncMessage, length: number): AsyncMessage | undefined {
  if (!Buffer.isBuffer(message.body)) return undefined;
  const found = unpack(message.body, length);
  if (!isObject(found?.value) || !isObject(found.value.headers)) return undefined;
  const { headers, durable: sent, ...properties } = found.value;
  const { consumerTag, deliveryTag, redelivered, exchange, routingKey } = message;
  const durable = sent === true;
  const facts = { consumerTag, deliveryTag, redelivered, exchange, routingKey, durable };
  return { ...propertiesIn(properties), ...facts, headers: { ...headers }, body: found.body };
}

/** A copy, because the library would let a header "__proto__" become a prototype. */
export function headersOf({ headers = {} }: AsyncMessage): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers));
}

/** Reads at most one level more than it allows, as many as `boundHeaders` leaves. */
function nestDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false;
  return limit === 0 || Object.values(value).some((item) => nestDeeperThan(item, limit - 1));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(message: AsyncMessage): { readonly body: unknown } | Failure {
  const bad: Failure = { reason: "its body is no JSON", permanent: true };
  let text: string;
  try {
    text = decoder.decode(message.body);
  } catch {
    return bad;
  }
  // Judged on the text: a parser, and all that looks at its value, would call itself for each level.
  if (isDeeperThan(text, MAX_DEPTH)) {
    return { reason: `its body nests deeper than ${MAX_DEPTH}`, permanent: true };
  }
  try {
    return { body: JSON.parse(text) };
  } catch {
    // The parser's own words quote the body, which belongs into no log.
    return bad;
  }
}

function propertiesOf(message: AsyncMessage): Readonly<Record<string, unknown>> {
  const properties = {
    content_type: message.contentType,
    content_encoding: message.contentEncoding,
    delivery_mode: message.durable ? 2 : 1,
    priority: message.priority,
    correlation_id: message.correlationId,
    reply_to: message.replyTo,
    expiration: message.expiration,
    message_id: message.messageId,
    timestamp: message.timestamp,
    type: message.type,
    user_id: message.userId,
    app_id: message.appId,
  };
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}
