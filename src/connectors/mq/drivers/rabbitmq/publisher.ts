/** Publishes messages and waits for the broker's confirmations. */
import type { Clock } from "../../../../base/clock.ts";
import { InFlight } from "../../../../base/in-flight.ts";
import { quoted } from "../../../../base/shown.ts";
import type { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import { AMQPChannelError, AMQPError, type Channel, type Envelope } from "rabbitmq-client";
import { UnsendableError } from "../../../../messaging/mod.ts";
import type { Exchange } from "../../options.ts";
import { type BrokerConnection, closeChannel, PATIENCE } from "./connection.ts";
import { describe, limitIn } from "./errors.ts";
import { headerProblem } from "./headers.ts";
import { declareExchange } from "./topology.ts";

/** How one channel publishes. */
export interface PublisherOptions {
  /** Whether the broker confirms each message. */
  readonly confirms: boolean;
  /** Declared whenever a channel is made. */
  readonly exchange?: Exchange;
  readonly clock: Clock;
}

/** What is published: the library's envelope, with an id. */
type Message = Envelope & { readonly messageId: string };

/** A channel that messages are sent on. */
interface Lane {
  readonly channel: Channel;
  /** How many messages are on their way. */
  pending: number;
  /** Why the broker has closed it. */
  failure?: unknown;
}

/** A message on its way. */
interface Sending {
  readonly lane: Lane;
  readonly size: number;
  /** When it is given up. */
  readonly due: number;
  resolve(): void;
  reject(error: Error): void;
}

/** Publishes on a channel of its own, which is made when it is first needed. */
export class Publisher {
  readonly #connection: BrokerConnection;
  readonly #options: PublisherOptions;
  /** Messages that wait for a channel, or for more than a confirmation. */
  readonly #waiting = new InFlight();
  /** In the order in which they were sent, and so in that of their deadlines. */
  readonly #sending = new Set<Sending>();
  /** Messages that must reach a queue, by id: how many are on their way, and whether one came back. */
  readonly #mandatory = new Map<string, { count: number; returned: boolean }>();
  #lane: Lane | undefined;
  #opening: Promise<Lane> | undefined;
  /** One timer for all that is on its way. */
  #cancelTimer: (() => void) | undefined;
  #whenEmpty: (() => void) | undefined;
  #closed = false;

  /** Sends nothing yet. */
  constructor(connection: BrokerConnection, options: PublisherOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /**
   * Resolves when the broker has confirmed the message; without confirms, when it is on its way.
   *
   * @throws {UnsendableError} It never can be sent.
   * @throws {Error} There is no connection, the broker refused the message, a mandatory message
   * reached no queue, or no confirmation came in time.
   */
  send(message: Message, body: Buffer): Promise<void> {
    const { health } = this.#connection;
    if (health !== undefined) return Promise.reject(new Error(health));
    // The client closes its channel over what it cannot write, and all that is on its way fails.
    const problem = headerProblem(message);
    if (problem !== undefined) return Promise.reject(new UnsendableError(problem));
    return this.#options.confirms && message.mandatory
      ? this.#waiting.add(this.#sendMandatory(message, body))
      : this.#send(message, body);
  }

  /** Waits for all confirmations, then closes the channel. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#waiting.empty();
    if (this.#sending.size > 0) await new Promise<void>((resolve) => this.#whenEmpty = resolve);
    this.#cancelTimer?.();
    if (this.#lane !== undefined) await closeChannel(this.#lane.channel);
  }

  #send(message: Message, body: Buffer): Promise<void> {
    const lane = this.#lane;
    if (lane?.channel.active) return this.#sendOn(lane, message, body);
    const opened = this.#open().then((lane) => this.#sendOn(lane, message, body));
    return this.#waiting.add(opened);
  }

  #sendOn(lane: Lane, message: Message, body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const { clock } = this.#options;
      const due = clock.elapsed() + PATIENCE;
      const sending: Sending = { lane, size: body.length, due, resolve, reject };
      lane.pending++;
      this.#sending.add(sending);
      this.#cancelTimer ??= clock.after(PATIENCE, this.#giveUp);
      this.#connection.gather();
      lane.channel.basicPublish(message, body).then(
        () => this.#end(sending),
        (error) => {
          // The broker's reason comes with the first message; the others hear that the channel is closed.
          if (closesChannel(error)) lane.failure ??= error;
          const cause = error.code === "CH_CLOSE" ? lane.failure ?? error : error;
          this.#end(sending, failureOf(cause, sending.size));
        },
      );
    });
  }

  #end(sending: Sending, error?: Error): void {
    // It may have been given up before.
    if (!this.#sending.delete(sending)) return;
    if (error === undefined) sending.resolve();
    else sending.reject(error);
    const { lane } = sending;
    if (--lane.pending === 0 && lane !== this.#lane) void lane.channel.close();
    if (this.#sending.size === 0) this.#whenEmpty?.();
  }

  /**
   * Ends the wait of those that have waited too long. What follows goes through a new channel; the old
   * one is closed when nothing on it is waited for any more.
   */
  readonly #giveUp = (): void => {
    this.#cancelTimer = undefined;
    const { clock } = this.#options;
    const now = clock.elapsed();
    for (const sending of this.#sending) {
      // Timers may be early by a part of a millisecond.
      if (sending.due > now + 1) {
        this.#cancelTimer = clock.after(sending.due - now, this.#giveUp);
        return;
      }
      if (this.#lane === sending.lane) this.#lane = undefined;
      const words = `the broker has not confirmed within ${PATIENCE / 1000} s`;
      this.#end(sending, new Error(words));
    }
  };

  async #sendMandatory(message: Message, body: Buffer): Promise<void> {
    const { messageId, routingKey } = message;
    const entry = this.#mandatory.get(messageId) ?? { count: 0, returned: false };
    this.#mandatory.set(messageId, entry);
    entry.count++;
    try {
      await this.#send(message, body);
      // A message is returned before it is confirmed, but the event is emitted one turn later.
      await new Promise((resolve) => setImmediate(resolve));
      if (entry.returned) throw new Error(`no queue takes the routing key ${quoted(routingKey)}`);
    } finally {
      if (--entry.count === 0) this.#mandatory.delete(messageId);
    }
  }

  #open(): Promise<Lane> {
    return this.#opening ??= this.#connection.answer(this.#openLane(), "opened a channel")
      .catch((error) => {
        throw new Error(describe(error), { cause: error });
      })
      .finally(() => this.#opening = undefined);
  }

  async #openLane(): Promise<Lane> {
    if (this.#closed) throw new Error("the connector is closed");
    const { client } = this.#connection;
    const channel = await client.acquire({ emitErrorsFromChannel: true });
    const lane: Lane = { channel, pending: 0 };
    channel.on("error", (error) => {
      lane.failure ??= error;
      this.#connection.channelClosed(error);
    });
    channel.on("basic.return", ({ messageId = "" }) => {
      const entry = this.#mandatory.get(messageId);
      if (entry !== undefined) entry.returned = true;
    });
    const { exchange, confirms } = this.#options;
    try {
      if (exchange !== undefined) await declareExchange(channel, exchange);
      if (confirms) await channel.confirmSelect();
    } catch (error) {
      await closeChannel(channel);
      throw error;
    }
    this.#lane = lane;
    return lane;
  }
}

/** Why a message of so many bytes was not sent: the fault may be another message's. */
function failureOf(cause: unknown, size: number): Error {
  const UnsentError = isUnsendable(cause, size) ? UnsendableError : Error;
  return new UnsentError(describe(cause), { cause });
}

/** Whether the broker has closed a channel over a message, which may be any of those on their way. */
function closesChannel(error: unknown): boolean {
  return error instanceof AMQPChannelError && !["CH_CLOSE", "CODEC"].includes(error.code);
}

function isUnsendable(error: unknown, size: number): boolean {
  if (!(error instanceof AMQPError)) {
    return error instanceof RangeError || error instanceof TypeError;
  }
  return error.code === "CODEC" || size > (limitIn(error) ?? Infinity);
}
