/**
 * The interface of drivers. A driver connects to one kind of message broker; settlement, redelivery
 * and dead letters are decided above it, in `deliveries.ts`.
 */
import type { ConnectorContext } from "../../contract/connector.ts";
import type { CodedProblem } from "../../contract/definition.ts";
import type { Expression } from "../../expression/mod.ts";
import type { Message, Publication } from "./message.ts";
import type { MqOptions } from "./options.ts";

/** One kind of broker: how its configuration is checked, and how a broker is made. */
export interface Driver {
  /** The fields of `input` that its messages have beside those of their bodies. */
  readonly metadata: readonly string[];
  /** Checks a whole `connector` block. */
  check(options: MqOptions): readonly CodedProblem[];
  /** Checks the `operation` of a `from` block. */
  checkOperation(operation: string | undefined, options: MqOptions): readonly CodedProblem[];
  /** Checks the `target` of a `to` block. */
  checkTarget(
    target: string | Expression | undefined,
    options: MqOptions,
  ): readonly CodedProblem[];
  /** Compiles the `operation` of a `from` block; undefined means every event. */
  matcher(operation: string | undefined): Matcher;
  /**
   * Whether what is published to `target` reaches a flow on `operation` of the same connector, or of
   * another one, where `sender` has the options of the one that publishes.
   */
  receives(
    operation: string | undefined,
    target: string,
    options: MqOptions,
    sender?: MqOptions,
  ): boolean;
  /** Whether the dead letters of the connector with the options `sender` may reach a flow. */
  receivesDeadLetters(options: MqOptions, sender: MqOptions): boolean;
  /** True where nothing outside of this process can publish. False where absent. */
  internal?(options: MqOptions): boolean;
  /** Loads the driver's module, and its client library with it. */
  load(): Promise<DriverModule>;
}

/** Whether the key of a message matches an operation. */
export type Matcher = (key: string) => boolean;

/** What the `mod.ts` of a driver exports. */
export interface DriverModule {
  /** Makes a broker, which connects when it is opened. */
  createBroker(options: MqOptions, context: BrokerContext): Broker;
}

/** What a broker is made with. */
export interface BrokerContext
  extends Pick<ConnectorContext, "name" | "logger" | "clock" | "runtime" | "newId"> {
  /**
   * The operations of the connector's flows, in their order; undefined among them means every event.
   * Complete when the broker is opened.
   */
  readonly operations: readonly (string | undefined)[];
  /** Whether this worker consumes, as far as `everyWorker` and the leader of the moment decide. */
  consumesHere(): boolean;
  /** Counts and logs a message that the broker has lost, and why. */
  lost(routingKey: string, reason: string): void;
}

/** A broker, as one connector sees it. */
export interface Broker {
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
  probe?(): Promise<string>;
  /**
   * Publishes. Returns, or resolves, once the broker has taken charge of the message.
   *
   * @throws {UnsendableError} The message never can be sent.
   * @throws {Error} It could not be sent this time.
   */
  publish(message: Publication): void | Promise<void>;
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
   * Moves it to the dead letters after `retries` redeliveries.
   *
   * @throws {UnsendableError} It never can be a dead letter.
   * @throws {Error} It was not moved, or was moved and could not be acked. Without `held`, the broker
   * redelivers it.
   */
  deadLetter(reason: string, retries: number): DeadLetter | Promise<DeadLetter>;
}

/** What became of a message among the dead letters. */
export interface DeadLetter {
  /** What of the message could not be kept; undefined where all of it was. */
  readonly leftOut?: string | undefined;
}

/** Why a message could not be handled. */
export interface DeliveryFailure {
  /** For the log. */
  readonly reason: string;
  /** True where another delivery cannot succeed. */
  readonly permanent: boolean;
  /** How often it may be redelivered; as often as the connector says where absent. */
  readonly maxRetries?: number;
}

/** A message that never can be sent: not by this client, or not to this broker. */
export class UnsendableError extends Error {
  override readonly name = "UnsendableError";
}
