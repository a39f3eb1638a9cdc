/** What comes from the broker as a message, and the same message on its way to another queue. */
import { Buffer } from "node:buffer";
import type { AsyncMessage, Envelope } from "rabbitmq-client";
import type { Message } from "../message.ts";
import type { Failure } from "../subscriptions.ts";

/** Headers of a message that was moved: where it came from, and why it was moved. */
const ROUTING_KEY = "x-weir-routing-key";
const EXCHANGE = "x-weir-exchange";
const RETRIES = "x-weir-retries";
const REASON = "x-weir-reason";

/** The header frame has room for 8 KB in all. */
const LONGEST_REASON = 500;

/** A message and what has happened to it so far. */
export interface Delivery {
  readonly routingKey: string;
  readonly exchange: string;
  /** How often it has been delivered again. */
  readonly retries: number;
  /** What flows get; a failure where it cannot be read. */
  readonly content: Message | Failure;
}

/** Reads a message that came from `queue`. */
export function readDelivery(message: AsyncMessage, queue: string): Delivery {
  const { [ROUTING_KEY]: key, [EXCHANGE]: exchange, [RETRIES]: count, ...headers } = headersOf(
    message,
  );
  // Only what was sent to this very queue has been moved; elsewhere these headers mean nothing.
  const moved = message.exchange === "" && message.routingKey === queue && typeof key === "string";
  const origin = moved
    ? { routingKey: key, exchange: String(exchange ?? "") }
    : { routingKey: message.routingKey, exchange: message.exchange };
  const body = parse(message);
  return {
    ...origin,
    retries: moved && typeof count === "number" ? count : 0,
    content: "reason" in body
      ? body
      : { ...origin, ...body, headers, properties: propertiesOf(message) },
  };
}

/** The message as it goes on to another queue, and why it does. */
export function forward(
  message: AsyncMessage,
  { routingKey, exchange }: Delivery,
  { reason, retries }: { readonly reason: string; readonly retries?: number },
): { readonly envelope: Envelope & { readonly messageId: string }; readonly body: Buffer } {
  const headers = {
    ...Object.fromEntries(Object.entries(headersOf(message)).filter(([name]) => !isBrokers(name))),
    [ROUTING_KEY]: routingKey,
    [EXCHANGE]: exchange,
    [REASON]: reason.slice(0, LONGEST_REASON),
    [RETRIES]: retries,
  };
  const { contentType, contentEncoding, priority, correlationId, replyTo, timestamp, type, appId } =
    message;
  // Left out: `userId`, which only its own user may send, and `expiration`, which has served.
  return {
    body: bytesOf(message),
    envelope: {
      headers,
      durable: true,
      mandatory: true,
      messageId: message.messageId ?? crypto.randomUUID(),
      contentType,
      contentEncoding,
      priority,
      correlationId,
      replyTo,
      timestamp,
      type,
      appId,
    },
  };
}

/** What the broker wrote itself, or would act on once more: carbon copies would go out again. */
function isBrokers(name: string): boolean {
  return /^(?:CC|BCC|x-(?:first-|last-)?death.*|x-delivery-count)$/.test(name);
}

/** A copy, because the library would let a header "__proto__" become a prototype. */
function headersOf({ headers = {} }: AsyncMessage): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers));
}

/** The library has parsed what calls itself JSON and has made text of what calls itself text. */
function isParsed({ contentType, contentEncoding, body }: AsyncMessage): boolean {
  return contentType === "application/json" && !contentEncoding && !Buffer.isBuffer(body);
}

function parse(message: AsyncMessage): { readonly body: unknown } | Failure {
  if (isParsed(message)) return { body: message.body };
  try {
    const text = typeof message.body === "string"
      ? message.body
      : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message.body);
    return { body: JSON.parse(text) };
  } catch {
    // The parser's own words quote the body, which belongs into no log.
    return { reason: "its body is no JSON", permanent: true };
  }
}

function bytesOf(message: AsyncMessage): Buffer {
  if (Buffer.isBuffer(message.body)) return message.body;
  return Buffer.from(isParsed(message) ? JSON.stringify(message.body) : String(message.body));
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
