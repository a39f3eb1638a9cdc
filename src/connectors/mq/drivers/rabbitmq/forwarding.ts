/** A message on its way to another queue. */
import type { Buffer } from "node:buffer";
import type { Envelope } from "rabbitmq-client";
import { shown } from "../../../../base/shown.ts";
import { type Delivery, EXCHANGE, headersOf, PACKED, RETRIES, ROUTING_KEY } from "./delivery.ts";
import {
  badProperties,
  fittingHeaders,
  headerProblem,
  type Headers,
  type Properties,
} from "./encoding.ts";
import { pack } from "./packing.ts";

/** Why a message was moved, and what of it could not be. */
const REASON = "x-weir-reason";
const LEFT_OUT = "x-weir-left-out";

/** How much a header has room for, in characters: all of them fit into 8 KB together. */
const LONGEST_TEXT = 500;

/** What is sent. */
export interface Forwarded {
  readonly envelope: Envelope & { readonly messageId: string };
  readonly body: Buffer;
  /** What of the message could not be copied; undefined where everything was. */
  readonly leftOut?: string;
}

/**
 * A message that comes again. What cannot stand in its header is packed in front of its body, so that
 * flows see the same message.
 */
export function forRetry(delivery: Delivery, reason: string, retries: number): Forwarded {
  const { message, message: { durable } } = delivery;
  const own = { ...origin(delivery, reason), [RETRIES]: retries };
  const whole = envelopeOf(propertiesOf(delivery), { ...headersToCopy(delivery), ...own });
  if (headerProblem(whole) === undefined) return { envelope: whole, body: message.body };
  const properties = { ...propertiesOf(delivery), messageId: message.messageId };
  const front = { ...properties, durable, headers: headersToCopy(delivery) };
  const { body, length } = pack(front, message.body);
  const envelope = envelopeOf({ messageId: crypto.randomUUID() }, { ...own, [PACKED]: length });
  return { envelope, body };
}

/**
 * A dead letter. What cannot stand in its header is left out, and a header says so: others read it.
 */
export function forDeadLetters(delivery: Delivery, reason: string): Forwarded {
  const { body } = delivery.message;
  const own = origin(delivery, reason);
  const whole = envelopeOf(propertiesOf(delivery), { ...headersToCopy(delivery), ...own });
  if (headerProblem(whole) === undefined) return { envelope: whole, body };
  const properties: Properties & { messageId: string } = { ...propertiesOf(delivery) };
  const bad = badProperties(properties);
  for (const name of bad) delete properties[name as keyof Properties];
  properties.messageId ??= crypto.randomUUID();
  // Takes the room that the real one may need.
  const noted = { ...own, [LEFT_OUT]: "\uffff".repeat(LONGEST_TEXT) };
  const { kept, left } = fittingHeaders(headersToCopy(delivery), noted, properties);
  const leftOut = [...bad, ...left.map((name) => `header ${shown(name)}`)].join(", ");
  const note = { [LEFT_OUT]: leftOut.slice(0, LONGEST_TEXT) };
  return { envelope: envelopeOf(properties, { ...kept, ...own, ...note }), body, leftOut };
}

function origin({ routingKey, exchange }: Delivery, reason: string): Headers {
  return {
    [ROUTING_KEY]: routingKey,
    [EXCHANGE]: exchange,
    [REASON]: reason.slice(0, LONGEST_TEXT),
  };
}

function envelopeOf(
  properties: Properties & { readonly messageId: string },
  headers: Headers,
): Forwarded["envelope"] {
  return { ...properties, headers, durable: true, mandatory: true };
}

/** Without `userId`, which only its own user may send, and `expiration`, which has served. */
function propertiesOf({ message }: Delivery): Properties & { readonly messageId: string } {
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

function headersToCopy({ message }: Delivery): Headers {
  const names = Object.entries(headersOf(message)).filter(([name]) => !isWritten(name));
  return Object.fromEntries(names);
}

/**
 * What the broker wrote itself, or would act on once more: carbon copies would go out again. And what
 * is written anew for each way.
 */
function isWritten(name: string): boolean {
  return /^(?:CC|BCC|x-(?:first-|last-)?death.*|x-delivery-count)$/.test(name) ||
    [RETRIES, PACKED].includes(name);
}
