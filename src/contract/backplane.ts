/**
 * The interface of a backplane: the broker that links the instances of one service, each of which is
 * a process that serves clients. Everything above it (who lives, who asks whom, batches, what is
 * delivered to which client) is written once, in `cluster/` and in the connectors.
 */
import { recognizeCopies } from "../base/copies.ts";
import type { Clock } from "../base/clock.ts";
import type { Keep, Position } from "../base/kept-messages.ts";
import type { Logger } from "./logger.ts";

export type { Keep, Position } from "../base/kept-messages.ts";

/**
 * The link from one instance to the others. A topic is any text of at most 1,000 bytes in UTF-8, and
 * it means the same in every instance of the service. A message is bytes that only Weir reads.
 */
export interface Backplane {
  /** What it can do. */
  readonly capabilities: BackplaneCapabilities;
  /**
   * Connects. Where the broker is away, it returns and goes on trying. Calls `listener` from now on
   * until `close`.
   *
   * @throws {ConnectorError} It never can connect, such as with wrong credentials.
   */
  open(listener: BackplaneListener): Promise<void>;
  /**
   * Sends a message to every instance that is subscribed to the topic. Messages that one instance
   * publishes arrive in the order of the calls, whatever their topics. Resolves when the broker has
   * the message, and settles within two seconds.
   *
   * @throws {BackplaneError} The message was not sent, or nobody knows whether it was.
   */
  publish(topic: string, message: Uint8Array): Promise<void>;
  /**
   * Subscribes to topics that it is not subscribed to. Resolves when the subscriptions are live: what
   * any instance publishes after that arrives. With `capabilities.live` "probe", that holds for this
   * server of the broker alone. Settles within two seconds after it was sent. A subscription lasts
   * through reconnects.
   *
   * @throws {BackplaneError} The broker is away or does not answer: none of them is subscribed.
   */
  subscribe(topics: readonly string[]): Promise<void>;
  /** Ends subscriptions. Messages that are on their way may still arrive. */
  unsubscribe(topics: readonly string[]): void;
  /**
   * False where it knows that no other instance listens to a topic: then a publish would do nothing.
   * Absent where it never knows.
   */
  heard?(topic: string): boolean;
  /** Why the broker cannot be reached, in a few words; undefined while all is well. */
  health(): string | undefined;
  /** Keys that all instances share; absent where the broker has none. */
  readonly keys?: SharedKeys;
  /** Keeps the newest messages of topics; absent where the broker cannot. */
  readonly history?: BackplaneHistory;
  /**
   * Tries what the service needs, in place of `open`: connects, uses every right, and disconnects.
   * Returns what it found, in a few words. It leaves nothing behind. Only `weir check --connect` calls
   * it.
   *
   * @throws {ConnectorError} The broker is away, or refuses something.
   */
  probe?(needs: BackplaneNeeds): Promise<string>;
  /** Disconnects. May be called before `open`, and again. */
  close(): Promise<void>;
}

/** What a service needs of its backplane beside messages. */
export interface BackplaneNeeds {
  /** Whether a flow has `dedupe` without a store. */
  readonly keys: boolean;
  /** Whether a room has a history. */
  readonly history: boolean;
}

/** What a backplane can do. */
export interface BackplaneCapabilities {
  /** Whether an instance hears its own messages, in its turn. Otherwise only the others hear them. */
  readonly echoes: boolean;
  /**
   * Which messages arrive everywhere in one order: `all`, or those of one `sender`, while those of two
   * instances may arrive here in this order and there in that one.
   */
  readonly order: "all" | "sender";
  /**
   * What makes a subscription live for all instances: the answer of the broker (`reply`), or an answer
   * of each instance to a message that was published after it (`probe`), since servers of a cluster
   * learn of it later.
   */
  readonly live: "reply" | "probe";
  /**
   * Whether the listener's `members` is called with the instances that live. Otherwise the instances
   * find out by heartbeats.
   */
  readonly members: boolean;
}

/** Is notified of what happens at a backplane. None of its methods throws. */
export interface BackplaneListener {
  /** A message has arrived. Nobody changes the bytes afterwards. */
  message(topic: string, message: Uint8Array): void;
  /** The connection is lost: what others publish from now on may not arrive. */
  down(reason: string): void;
  /** It is connected, again or for the first time, and every subscription is in force at its server. */
  up(): void;
  /** The ids of all instances that live, this one included, oldest first. */
  members(ids: readonly string[]): void;
  /**
   * Messages have been appended to a topic: the first one has the offset of `at`, and each further one
   * the next. Nobody changes the bytes afterwards.
   */
  kept?(topic: string, at: Position, messages: readonly Uint8Array[]): void;
}

/**
 * The newest messages of topics, which all instances of a service share. Every message has an offset
 * in its topic, each one more than the one before. No pair of epoch and offset is ever used twice:
 * where the broker may have lost messages, the epoch changes.
 */
export interface BackplaneHistory {
  /**
   * Adds messages to a topic in one step, drops what is too much, and passes them to the `kept` of
   * every instance that is subscribed to the topic, this one included, in the order of the offsets. A
   * message with an id that a kept one has is left out. Settles within two seconds.
   *
   * @throws {BackplaneError} They were not added, or nobody knows whether they were.
   */
  append(topic: string, messages: readonly Appending[], keep: Keep): Promise<Appended>;
  /**
   * Reads the messages after a position, or at most a number of the newest ones, oldest first. Settles
   * within two seconds.
   *
   * @throws {BackplaneError} The broker is away or does not answer.
   */
  read(topic: string, keep: Keep, question: Position | number): Promise<Entries>;
}

/** A message that is added. */
export interface Appending {
  /** Its bytes. */
  readonly message: Uint8Array;
  /** Any text of at most 255 bytes; undefined for none. */
  readonly id?: string | undefined;
}

/** What has become of messages that were added. */
export interface Appended {
  /** That of the offsets. */
  readonly epoch: string;
  /** The offset of each; undefined where one with its id was there. */
  readonly offsets: readonly (number | undefined)[];
}

/** What is kept of a topic, as far as it was asked for. */
export interface Entries {
  /** The place behind the newest message of the topic. */
  readonly newest: Position;
  /** The messages up to there; undefined where some of those after the position are gone. */
  readonly messages: readonly Uint8Array[] | undefined;
}

/** Keys that all instances of a service share. A key is any text of at most 1,000 bytes. */
export interface SharedKeys {
  /**
   * Sets a key that is not set, for `ttl` milliseconds. Returns undefined where it was set now, and
   * the value that the key has where it was set before.
   *
   * @throws {BackplaneError} The broker is away or does not answer. All methods throw it.
   */
  add(key: string, value: string, ttl: number): Promise<string | undefined>;
  /** The value of a key; undefined where it is not set. */
  get(key: string): Promise<string | undefined>;
  /**
   * Sets a key whose value is `old` to a new value, for `ttl` milliseconds. Returns false where it has
   * another value or none.
   */
  replace(key: string, old: string, value: string, ttl: number): Promise<boolean>;
  /** Removes a key whose value is `value`. */
  remove(key: string, value: string): Promise<void>;
  /**
   * True once it has turned out that the broker has no keys for this service: the methods throw an
   * error that says why. Absent where that cannot be.
   */
  readonly missing?: boolean;
}

/** Why a backplane did not do what it was asked for. */
export class BackplaneError extends Error {
  /** `BackplaneError`. */
  override readonly name = "BackplaneError";
  /** True where the message may have been sent all the same. */
  readonly unknown: boolean;

  /** `unknown` is false by default: it was surely not sent. */
  constructor(
    message: string,
    { unknown = false, cause }: { readonly unknown?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.unknown = unknown;
  }

  static {
    recognizeCopies(this, "BackplaneError");
  }
}

/** What a backplane is made with. */
export interface BackplaneContext {
  /** The connector's name in the configuration. */
  readonly name: string;
  /** Logs under `weir.<connector>`. */
  readonly logger: Logger;
  /** The time. */
  readonly clock: Clock;
  /** The name of the service: instances of another one hear nothing of it. */
  readonly service: string;
  /** The id of this instance: 1 to 32 of `a-z` and `0-9`, another one after each start. */
  readonly instance: string;
}

/** How a kind of connector can be the backplane of a service. */
export interface BackplaneType<Options = unknown> {
  /** Why a connector with these options cannot be one, as a hint; undefined where it can. */
  unable?(options: Options): string | undefined;
  /** Whether its backplane has `keys`, so that the instances can share what `dedupe` knows. */
  keeps(options: Options): boolean;
  /** Whether its backplane has a `history`; it has none where absent. */
  remembers?(options: Options): boolean;
  /** Makes the backplane of one instance, on connections of its own. It connects when it is opened. */
  create(options: Options, context: BackplaneContext): Backplane | Promise<Backplane>;
}
