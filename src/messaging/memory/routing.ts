/** How one kind of broker routes, for the broker in memory that plays it. */
import type { DeliveryFailure, Matcher } from "../../contract/subscriptions.ts";
import type { GivenUp } from "../dead-letter.ts";
import type { Publication } from "../message.ts";

/** What a connector does with one kind of broker. `P` is what it publishes. */
export interface MemoryRouting<P extends Publication = Publication> {
  /** Connectors of one runtime with the same address share messages. It begins with the driver. */
  readonly address: string;
  /** How many bytes a key has at most. */
  readonly longestKey: number;
  /** How many messages a process handles at once. */
  readonly prefetch: number;
  /** Where the connector listens; `operations` are those of its flows, undefined means every event. */
  bindings(operations: readonly (string | undefined)[]): readonly MemoryBinding[];
  /** Where a message goes that the connector publishes. */
  publish(message: P, stamp: Stamp): MemoryTarget;
  /** Where a message comes in that something outside sends to the connector. As `publish` if absent. */
  given?(message: P, stamp: Stamp): MemoryTarget;
  /**
   * Where a dead letter goes. `headers` are those of the message. Asked where the settings of the
   * connector have dead letters.
   */
  deadLetter?(message: MemoryMessage, why: GivenUp, headers: MemoryHeaders): MemoryLetter;
  /** Reads a body. As JSON if absent; then it always is. */
  read?(body: string): { readonly body: unknown } | DeliveryFailure;
  /** What flows see on `input` beside the body. `key` is that of the binding. */
  metadata(
    message: MemoryMessage,
    key: string | undefined,
    headers: MemoryHeaders,
  ): Readonly<Record<string, unknown>>;
}

/** Headers by their names. */
export type MemoryHeaders = Readonly<Record<string, unknown>>;

/** One thing that a connector listens to. */
export interface MemoryBinding {
  /** Where it listens, such as an exchange. */
  readonly place: string;
  /** Asked with the key of the message. */
  readonly matches: Matcher;
  /**
   * The key of the event; that of the message where absent. A queue gets a message once for each
   * different key, and once for all bindings without one.
   */
  readonly key?: string | undefined;
  /**
   * The name of a queue that connectors share: what one of them leaves is for the others. Absent: a
   * queue of the connector's own.
   */
  readonly queue?: string | undefined;
  /** One of the connectors with this group gets a message, in turn, into its own queue. */
  readonly group?: string | undefined;
  /**
   * The name of what keeps messages whether or not somebody consumes them. Such a binding delivers to
   * nobody. It counts as taken, and drops messages whose id it has had.
   */
  readonly keeps?: string | undefined;
  /** True where `queue` is another connector's: without a consumer of it, it gets nothing. */
  readonly foreign?: boolean;
}

/** Where a message goes, and what it has beside body and headers. */
export interface MemoryTarget {
  readonly places: readonly string[];
  /** What `metadata` needs, as plain data. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Its headers as the protocol carries them, if that changes them. */
  readonly headers?: MemoryHeaders;
  /** It cannot be published, for this reason, where nothing in `place` takes it. */
  readonly required?: { readonly place: string; readonly reason: string } | undefined;
  /** What keeps it drops it, where it has had one with this id in the last `window` milliseconds. */
  readonly unique?: { readonly id: string; readonly window: number } | undefined;
}

/** A dead letter. */
export interface MemoryLetter {
  readonly places: readonly string[];
  /** What it is routed by. */
  readonly key: string;
  /** The key that it shows; `key` where absent. */
  readonly routingKey?: string;
  /** All that it has: those of the message as well. */
  readonly headers: MemoryHeaders;
  /** Those that it has, where absent. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** A message on its way. Nothing of it is shared with the publisher. */
export interface MemoryMessage {
  /** The key that it was published with. */
  readonly routingKey: string;
  /** As on a wire: JSON, or what the routing reads. */
  readonly body: string;
  /** JSON. */
  readonly headers: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** When it was published, in milliseconds since 1970. */
  readonly time: number;
  /** Counts the messages of the broker. */
  readonly sequence: number;
  readonly retries: number;
}

/** What a new message is marked with. */
export interface Stamp {
  /** Milliseconds since 1970. */
  readonly time: number;
  newId(): string;
}
