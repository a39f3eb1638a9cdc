/** A message of a stream, which is settled by what is sent to its reply subject. */
import type { Msg } from "@nats-io/transport-node";
import {
  type DeadLetter,
  type Delivery,
  type GivenUp,
  UnsendableError,
} from "../../../../messaging/mod.ts";
import { type Confirmations, NoStreamError } from "./confirmations.ts";
import type { NatsLink } from "./connection.ts";
import { deadLetterOf, type Origin, readMessage } from "./message.ts";
import type { Declarations } from "./declarations.ts";

const encoder = new TextEncoder();
const ACK = encoder.encode("+ACK");
const NAK = encoder.encode("-NAK");
const WORKING = encoder.encode("+WPI");
const TERM = encoder.encode("+TERM");

/**
 * The parts of the reply subject that are alike in all forms:
 * `$JS.ACK.[DOMAIN.ACCOUNT.]STREAM.CONSUMER.DELIVERIES.SEQUENCE.CONSUMER_SEQUENCE.TIME.PENDING`, after
 * which newer servers have one more token.
 */
function partsOf(reply: string): readonly string[] {
  const tokens = reply.split(".");
  return tokens.slice(tokens.length > 9 ? 4 : 2);
}

/** How often the message was delivered, counted from 1. */
function deliveriesOf(reply: string): number {
  const count = Number(partsOf(reply)[2]);
  return Number.isSafeInteger(count) ? Math.max(1, count) : 1;
}

/** Unique to the message and its consumer: a stream that is made again counts from 1, at another time. */
function idOf(reply: string): string {
  const [stream, consumer, , sequence, , time] = partsOf(reply);
  return `weir:${stream}:${sequence}:${time}:${consumer}`;
}

/** What deliveries share. */
export interface DeliveryContext {
  readonly link: NatsLink;
  readonly confirmations: Confirmations;
  readonly declarations: Declarations;
  /** Where dead letters go; undefined where they are discarded. */
  readonly deadLetterSubject: string | undefined;
  /** How often a message is redelivered at most, before it counts as one that ends the process. */
  mostRetries(): number;
}

/** A message that was delivered. */
export class StreamDelivery implements Delivery {
  readonly routingKey: string;
  readonly retries: number;
  /** The connection may be away; what is settled is sent when it is back. */
  readonly held = true;
  readonly content: Delivery["content"];
  readonly #message: Msg;
  readonly #reply: string;
  readonly #context: DeliveryContext;
  #settled = false;

  /** Reads the message. */
  constructor(message: Msg, subject: string, context: DeliveryContext) {
    const reply = message.reply ?? "";
    const deliveries = deliveriesOf(reply);
    this.routingKey = subject;
    this.retries = deliveries - 1;
    this.content = this.retries <= context.mostRetries()
      ? readMessage(message, subject, subject)
      : {
        reason: `it was delivered ${deliveries} times, and not settled`,
        permanent: true,
      };
    this.#message = message;
    this.#reply = reply;
    this.#context = context;
  }

  /** Tells the server that its flows run. */
  working(): void {
    // One that comes late is of no use.
    if (!this.#settled) this.#context.link.client?.publish(this.#reply, WORKING);
  }

  ack(): void {
    this.#settle(ACK);
  }

  requeue(): void {
    this.#settle(NAK);
  }

  discard(): void {
    this.#settle(TERM);
  }

  redeliver(_reason: string, _retries: number, delay: number): void {
    this.#settle(encoder.encode(`-NAK {"delay":${Math.round(delay * 1e6)}}`));
  }

  /** Acks the message once a stream has its copy. */
  async deadLetter(why: GivenUp): Promise<DeadLetter> {
    const { confirmations, declarations, deadLetterSubject } = this.#context;
    if (deadLetterSubject === undefined) throw new UnsendableError("there is no dlq block");
    const origin = { subject: this.routingKey, id: idOf(this.#reply) };
    const sender = { confirmations, declarations, subject: deadLetterSubject };
    const letter = await sendDeadLetter(sender, this.#message, origin, why);
    this.#settle(ACK);
    return letter;
  }

  #settle(payload: Uint8Array): void {
    this.#settled = true;
    this.#context.link.settle(this.#reply, payload);
  }
}

/** What dead letters are sent with. */
export interface DeadLetterSender extends Pick<DeliveryContext, "confirmations" | "declarations"> {
  readonly subject: string;
}

/**
 * Resolves when a stream has the copy of a message. Its own headers are left out where they do not fit
 * any more.
 */
export async function sendDeadLetter(
  { confirmations, declarations, subject }: DeadLetterSender,
  message: Msg,
  origin: Origin,
  why: GivenUp,
): Promise<DeadLetter> {
  const send = (headers: Msg["headers"]) =>
    confirmations.send(subject, message.data, deadLetterOf({ headers }, origin, why));
  const attempt = async (): Promise<DeadLetter> => {
    try {
      await send(message.headers);
      return {};
    } catch (error) {
      if (!(error instanceof UnsendableError) || message.headers === undefined) throw error;
      await send(undefined);
      return { leftOut: "its headers" };
    }
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof NoStreamError)) throw error;
    // An operator has deleted it.
    await declarations.renewDeadLetters();
    return await attempt();
  }
}
