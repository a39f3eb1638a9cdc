/**
 * The interface of brokers: what connects to one kind of message broker. Settlement, redelivery and
 * dead letters are decided above it, in `deliveries.ts`.
 */
import type { ConnectorContext } from "../contract/connector.ts";
import type { ProbeRequest, ProbeSource } from "../contract/probe.ts";
import type { DeliveryFailure } from "../contract/subscriptions.ts";
import type { GivenUp } from "./dead-letter.ts";
import type { Message, Publication } from "./message.ts";

/** What a broker is made with. */
export interface BrokerContext
  extends Pick<ConnectorContext, "name" | "logger" | "clock" | "runtime" | "newId"> {
  /**
   * The operations of the connector's flows, in their order; undefined among them means every event.
   * Complete when the broker is opened.
   */
  readonly operations: readonly (string | undefined)[];
  /** The number of this worker, from 1; undefined where the service has one worker. */
  readonly worker?: number | undefined;
  /** Whether this worker consumes, as far as `everyWorker` and the leader of the moment decide. */
  consumesHere(): boolean;
  /**
   * Counts and logs messages that the broker has lost, and why. `routingKey` is that of the last one;
   * `count` is 1 by default.
   */
  lost(routingKey: string, reason: string, count?: number): void;
  /**
   * How often a message is delivered again, at most, where it fails or no filter takes it, and some
   * deliveries more for those that ended without a word. Beyond that it ends the process each time.
   */
  mostRetries(): number;
}

/** A broker, as one connector sees it. `P` is what it publishes. */
export interface Broker<P extends Publication = Publication> {
  /** What it can do with this configuration. */
  readonly capabilities: Capabilities;
  /**
   * Connects, and declares what the connector needs. Where the broker is away, it returns and goes on
   * trying.
   *
   * @throws {ConnectorError} It never can connect, such as with wrong credentials.
   */
  open(): Promise<void>;
  /**
   * Does what it can of `open` while another service still consumes, and takes no message from it.
   * Absent where that is nothing.
   *
   * @throws {ConnectorError} It never can connect.
   */
  prepare?(): Promise<void>;
  /**
   * Connects, disconnects and returns what it found, in a few words. Declares nothing. Absent where
   * there is nothing to connect to.
   *
   * @throws {ConnectorError} The broker is away or refuses the credentials.
   */
  probe?(requests: readonly ProbeRequest[], sources: readonly ProbeSource[]): Promise<string>;
  /**
   * Publishes. Returns, or resolves, once the broker has taken charge of the message.
   *
   * @throws {UnsendableError} The message never can be sent.
   * @throws {Error} It could not be sent this time.
   */
  publish(message: P): void | Promise<void>;
  /**
   * In a test, takes a message as from outside, and returns whether it may reach a flow. Only what
   * plays a broker has it.
   */
  receive?(message: P): boolean;
  /**
   * Begins to hand messages to `deliver`, at most as many at once as the consumer's `prefetch`. With
   * `takesOver`, another worker has consumed before.
   */
  consume(deliver: Deliver, takesOver: boolean): Promise<void>;
  /** Takes no more messages from outside of this process. */
  stop(): Promise<void>;
  /** Waits until the messages that exist in this process alone have been delivered. */
  drain(): Promise<void>;
  /** Disconnects. */
  close(): Promise<void>;
  /** Why it cannot publish or consume at the moment; undefined when it can. */
  health(): string | undefined;
  /** How often it was reached again after an outage. Absent where there is nothing to connect to. */
  readonly reconnects?: number;
  /** Its own numbers, such as `gaps`. */
  counts(): Readonly<Record<string, number>>;
}

/** What a broker can do. */
export interface Capabilities {
  /**
   * Whether every worker of a service consumes. Otherwise one does, since each would get every
   * message.
   */
  readonly everyWorker: boolean;
  /** Whether it delivers what was not acked to another consumer when this one ends. */
  readonly keeps: boolean;
  /** Whether it holds a message until its next delivery, while others are delivered. */
  readonly delays: boolean;
  /** How many bytes a routing key has at most. */
  readonly longestKey: number;
}

/** Handles a message. Returns a promise where it has not settled yet; that never rejects. */
export type Deliver = (delivery: Delivery) => void | Promise<void>;

/** A message that was delivered. One call of one of its methods settles it. */
export interface Delivery {
  /** The routing key that it was published with. */
  readonly routingKey: string;
  /** How often it has been redelivered. */
  readonly retries: number;
  /** The message; a failure where it cannot be read. */
  readonly content: Message | DeliveryFailure;
  /** False once the broker has taken it back, to deliver it to another consumer. */
  readonly held: boolean;
  /** It was handled. */
  ack(): void;
  /** Gives it back to the broker, which delivers it again at once. */
  requeue(): void;
  /** It failed for good, and nothing of it is kept. */
  discard(): void;
  /**
   * Leaves it to the broker, which redelivers it after `delay` milliseconds as its `retries`th time.
   *
   * @throws {UnsendableError} It cannot wait anywhere.
   * @throws {Error} It was not moved, or was moved and could not be acked. Without `held`, the broker
   * redelivers it.
   */
  redeliver(reason: string, retries: number, delay: number): void | Promise<void>;
  /**
   * Moves it to the dead letters.
   *
   * @throws {UnsendableError} It never can be a dead letter.
   * @throws {Error} It was not moved, or was moved and could not be acked. Without `held`, the broker
   * redelivers it.
   */
  deadLetter(why: GivenUp): DeadLetter | Promise<DeadLetter>;
}

/** What became of a message among the dead letters. */
export interface DeadLetter {
  /** What of the message could not be kept; undefined where all of it was. */
  readonly leftOut?: string | undefined;
}

/** A message that never can be sent: not by this client, or not to this broker. */
export class UnsendableError extends Error {
  override readonly name = "UnsendableError";
}
