/** Messages of RabbitMQ: what was received, and the copies that are moved to other queues. */
import { Buffer } from "node:buffer";
import type { AsyncMessage, Envelope } from "rabbitmq-client";
import { isObject, MAX_DEPTH } from "../../../../base/json.ts";
import { shown } from "../../../../base/shown.ts";
import type { DeliveryFailure } from "../../../../contract/subscriptions.ts";
import {
  deadLetterHeaders,
  EXCHANGE,
  type GivenUp,
  LONGEST_HEADER,
  type Message,
  readBody,
  ROUTING_KEY,
} from "../../../../messaging/mod.ts";
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

/**
 * The `Retry` of a message in the retry queue. A header of its own: a dead letter that waits there keeps
 * the reason that it came with.
 */
const RETRY = "x-weir-retry";
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

/** A message on its way through the retry queue: where it came from, and why it waits. */
interface Retry {
  readonly routing_key: string;
  readonly exchange: string;
  readonly reason: string;
  /** How often it has been redelivered. */
  readonly retries: number;
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
  const { message, ...facts } = whereFrom(received, queue);
  if (message === undefined) {
    const content = { reason: "its packed headers cannot be read", permanent: true };
    return { ...facts, message: received, content };
  }
  return { ...facts, message, content: contentOf(message, facts) };
}

/** Where it came from first, and the message as it was there; undefined where it cannot be read. */
function whereFrom(
  received: AsyncMessage,
  queue: string,
): Omit<Received, "message" | "content"> & { readonly message: AsyncMessage | undefined } {
  const headers = headersOf(received);
  const { [RETRY]: retry, [PACKED]: packed } = headers;
  // Only what was sent to this very queue has been moved; elsewhere these headers mean nothing.
  const moved = received.exchange === "" && received.routingKey === queue;
  if (!moved || !isObject(retry)) {
    const origin = originOf(received, moved ? headers[ROUTING_KEY] : undefined, headers[EXCHANGE]);
    return { ...origin, retries: 0, message: received };
  }
  const { routing_key: key, exchange, retries: count } = retry;
  // Others may send to the queue as well, with any number.
  const retries = Number.isSafeInteger(count) ? Math.max(0, Number(count)) : 0;
  const message = packed === undefined
    ? { ...received, headers: headersToCopy({ message: received }) }
    : unpacked(received, typeof packed === "number" ? packed : NaN);
  return { ...originOf(received, key, exchange), retries, message };
}

/** What headers say, where they say it. */
function originOf(
  received: AsyncMessage,
  routingKey: unknown,
  exchange: unknown,
): Pick<Received, "routingKey" | "exchange"> {
  if (typeof routingKey === "string") {
    return { routingKey, exchange: typeof exchange === "string" ? exchange : "" };
  }
  return { routingKey: received.routingKey, exchange: received.exchange };
}

function contentOf(
  message: AsyncMessage,
  { routingKey, exchange }: Pick<Received, "routingKey" | "exchange">,
): Received["content"] {
  const headers = headersOf(message);
  if (nestDeeperThan(headers, MAX_DEPTH)) {
    return { reason: `its headers nest deeper than ${MAX_DEPTH}`, permanent: true };
  }
  const body = readBody(message.body);
  if ("reason" in body) return body;
  const properties = shownProperties(message);
  const metadata = { headers, routing_key: routingKey, exchange, properties };
  return { key: routingKey, ...body, metadata };
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
  const { routingKey: routing_key, exchange, message, message: { durable } } = received;
  const retry: Retry = {
    routing_key,
    exchange,
    reason: reason.slice(0, LONGEST_HEADER),
    retries,
  };
  const whole = envelopeOf(propertiesToCopy(received), {
    ...headersToCopy(received),
    [RETRY]: retry,
  });
  if (headerProblem(whole) === undefined) return { envelope: whole, body: message.body };
  const properties = { ...propertiesToCopy(received), messageId: message.messageId };
  const front = { ...properties, durable, headers: headersToCopy(received) };
  const { body, length } = pack(front, message.body);
  const own = { [RETRY]: retry, [PACKED]: length };
  return { envelope: envelopeOf({ messageId: crypto.randomUUID() }, own), body };
}

/**
 * The copy for the dead letters. Others read it, so what does not fit into its header is left out, and
 * a header says so.
 */
export function deadLetterCopy(received: Received, why: GivenUp): Copy {
  const { body } = received.message;
  const own = deadLetterHeaders(received, why);
  const copied = headersToCopy(received);
  for (const name of Object.keys(own)) delete copied[name];
  const whole = envelopeOf(propertiesToCopy(received), { ...copied, ...own });
  if (headerProblem(whole) === undefined) return { envelope: whole, body };
  const properties: Properties & { messageId: string } = { ...propertiesToCopy(received) };
  const bad = badProperties(properties);
  for (const name of bad) delete properties[name as keyof Properties];
  properties.messageId ??= crypto.randomUUID();
  // Reserves the room that the real one may need.
  const noted = { ...own, [LEFT_OUT]: "\uffff".repeat(LONGEST_HEADER) };
  const { kept, left } = fittingHeaders(copied, noted, properties);
  const leftOut = [...bad, ...left.map((name) => `header ${shown(name)}`)].join(", ");
  const note = { [LEFT_OUT]: leftOut.slice(0, LONGEST_HEADER) };
  return { envelope: envelopeOf(properties, { ...kept, ...own, ...note }), body, leftOut };
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

function headersToCopy({ message }: Pick<Received, "message">): Record<string, unknown> {
  const names = Object.entries(headersOf(message)).filter(([name]) => !isWritten(name));
  return Object.fromEntries(names);
}

/** Headers that the broker wrote, or would act on again (carbon copies), and those of each copy. */
function isWritten(name: string): boolean {
  return /^(?:CC|BCC|x-(?:first-|last-)?death.*|x-delivery-count)$/.test(name) ||
    [RETRY, PACKED].includes(name);
}
