/** Messages of RabbitMQ: what was received, and the copies that are moved to other queues. */
import { Buffer } from "node:buffer";
import type { AsyncMessage, Envelope } from "rabbitmq-client";
import { isDeeperThan, isObject, MAX_DEPTH } from "../../../../base/json.ts";
import { shown } from "../../../../base/shown.ts";
import type { DeliveryFailure } from "../../broker.ts";
import {
  EXCHANGE,
  LONGEST_HEADER,
  type Message,
  originHeaders as originAndReason,
  ROUTING_KEY,
} from "../../message.ts";
import {
  badProperties,
  fittingHeaders,
  headerProblem,
  type Headers,
  pack,
  type Properties,
  propertiesIn,
  unpack,
} from "./headers.ts";

/** How often a message that was moved has been redelivered. */
const RETRIES = "x-weir-retries";
/** How many bytes in front of the body are the headers and properties of the message. */
const PACKED = "x-weir-packed";
/** What of a message could not be moved. */
const LEFT_OUT = "x-weir-left-out";

/** A message, and where it came from first. */
export interface Received {
  /** The routing key that it was published with. */
  readonly routingKey: string;
  /** The exchange that it was published to; empty for the default exchange. */
  readonly exchange: string;
  /** How often it has been redelivered. */
  readonly retries: number;
  /** The message, unpacked. */
  readonly message: AsyncMessage;
  /** What flows get; a failure where it cannot be read. */
  readonly content: RabbitMessage | DeliveryFailure;
}

/** A message with what only AMQP has. */
export interface RabbitMessage extends Message {
  readonly metadata: {
    readonly headers: Readonly<Record<string, unknown>>;
    readonly routing_key: string;
    readonly exchange: string;
    /** The standard properties under their AMQP names, such as `message_id`. */
    readonly properties: Readonly<Record<string, unknown>>;
  };
}

/** A copy to be sent. */
export interface Copy {
  readonly envelope: Envelope & { readonly messageId: string };
  readonly body: Buffer;
  /** What of the message could not be copied; undefined where everything was. */
  readonly leftOut?: string;
}

/** Reads a message that came from `queue`. */
export function readMessage(received: AsyncMessage, queue: string): Received {
  const { [ROUTING_KEY]: key, [EXCHANGE]: exchange, [RETRIES]: count, [PACKED]: packed } =
    headersOf(received);
  // Only what was sent to this very queue has been moved; elsewhere these headers mean nothing.
  const moved = received.exchange === "" && received.routingKey === queue &&
    typeof key === "string";
  const origin = moved
    ? { routingKey: key, exchange: String(exchange ?? "") }
    : { routingKey: received.routingKey, exchange: received.exchange };
  // Others may send to the queue as well, with any number.
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
  const { routingKey, exchange: from } = origin;
  const properties = shownProperties(message);
  const metadata = { headers, routing_key: routingKey, exchange: from, properties };
  const content = { key: routingKey, ...body, metadata };
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
function headersOf({ headers = {} }: AsyncMessage): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers));
}

/** Reads at most one level more than it allows, as many as `boundHeaders` leaves. */
function nestDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return false;
  return limit === 0 || Object.values(value).some((item) => nestDeeperThan(item, limit - 1));
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(message: AsyncMessage): { readonly body: unknown } | DeliveryFailure {
  const bad: DeliveryFailure = { reason: "its body is not JSON", permanent: true };
  let text: string;
  try {
    text = decoder.decode(message.body);
  } catch {
    return bad;
  }
  // Checked on the text: a parser, and all that reads its value, would call itself for each level.
  if (isDeeperThan(text, MAX_DEPTH)) {
    return { reason: `its body nests deeper than ${MAX_DEPTH}`, permanent: true };
  }
  try {
    return { body: JSON.parse(text) };
  } catch {
    // The parser's own message quotes the body, which must not be logged.
    return bad;
  }
}

/** The standard properties under their AMQP names; absent ones are left out. */
function shownProperties(message: AsyncMessage): Readonly<Record<string, unknown>> {
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

/**
 * The copy for the retry queue. What does not fit into its header is packed in front of its body, so
 * that flows see the same message.
 */
export function retryCopy(received: Received, reason: string, retries: number): Copy {
  const { message, message: { durable } } = received;
  const own = { ...originHeaders(received, reason), [RETRIES]: retries };
  const whole = envelopeOf(propertiesToCopy(received), { ...headersToCopy(received), ...own });
  if (headerProblem(whole) === undefined) return { envelope: whole, body: message.body };
  const properties = { ...propertiesToCopy(received), messageId: message.messageId };
  const front = { ...properties, durable, headers: headersToCopy(received) };
  const { body, length } = pack(front, message.body);
  const envelope = envelopeOf({ messageId: crypto.randomUUID() }, { ...own, [PACKED]: length });
  return { envelope, body };
}

/**
 * The copy for the dead letters. Others read it, so what does not fit into its header is left out, and
 * a header says so.
 */
export function deadLetterCopy(received: Received, reason: string): Copy {
  const { body } = received.message;
  const own = originHeaders(received, reason);
  const whole = envelopeOf(propertiesToCopy(received), { ...headersToCopy(received), ...own });
  if (headerProblem(whole) === undefined) return { envelope: whole, body };
  const properties: Properties & { messageId: string } = { ...propertiesToCopy(received) };
  const bad = badProperties(properties);
  for (const name of bad) delete properties[name as keyof Properties];
  properties.messageId ??= crypto.randomUUID();
  // Reserves the room that the real one may need.
  const noted = { ...own, [LEFT_OUT]: "\uffff".repeat(LONGEST_HEADER) };
  const { kept, left } = fittingHeaders(headersToCopy(received), noted, properties);
  const leftOut = [...bad, ...left.map((name) => `header ${shown(name)}`)].join(", ");
  const note = { [LEFT_OUT]: leftOut.slice(0, LONGEST_HEADER) };
  return { envelope: envelopeOf(properties, { ...kept, ...own, ...note }), body, leftOut };
}

function originHeaders(received: Received, reason: string): Headers {
  const [origin, note] = originAndReason(received, reason);
  return { ...origin, ...note };
}

function envelopeOf(
  properties: Properties & { readonly messageId: string },
  headers: Headers,
): Copy["envelope"] {
  return { ...properties, headers, durable: true, mandatory: true };
}

/** Without `userId`, which only its own user may send, and `expiration`, which has no use any more. */
function propertiesToCopy({ message }: Received): Properties & { readonly messageId: string } {
  const { contentType, contentEncoding, priority, correlationId, replyTo, timestamp, type, appId } =
    message;
  const messageId = message.messageId ?? crypto.randomUUID();
  return {
    messageId,
    contentType,
    contentEncoding,
    priority,
    correlationId,
    replyTo,
    timestamp,
    type,
    appId,
  };
}

function headersToCopy({ message }: Received): Headers {
  const names = Object.entries(headersOf(message)).filter(([name]) => !isWritten(name));
  return Object.fromEntries(names);
}

/** Headers that the broker wrote, or would act on again (carbon copies), and those of each copy. */
function isWritten(name: string): boolean {
  return /^(?:CC|BCC|x-(?:first-|last-)?death.*|x-delivery-count)$/.test(name) ||
    [RETRIES, PACKED].includes(name);
}
