/** What a kind of broker is, as far as a flow sees it. The suite asserts every line of it. */
import type { Service } from "../../support/services.ts";

/** What a case has for itself: nobody else uses these names. */
export interface Names {
  /** In the names of all that it makes. */
  readonly id: string;
  /** What instances share that have it: a queue or a group. */
  readonly group: string;
}

/** How a connector consumes. */
export interface Consuming {
  readonly prefetch: number;
  /** The attributes of the dlq block beside those that say where it leads; undefined without one. */
  readonly dlq: string | undefined;
}

/** One way to use one broker. */
export interface Kind {
  readonly driver: string;
  readonly service: Service;
  /** Connects somebody else to it, who sends what Weir would not, and tidies up. */
  outside(): Promise<Outside>;
  /** The attributes of a block, beside its type and its driver. */
  attributes(names: Names, consuming: Consuming): string;
  /** A connector that gets the dead letters, and the operation there; undefined where there are none. */
  readonly letters:
    | ((names: Names) => { readonly attributes: string; readonly operation: string })
    | undefined;
  /** The key of an event whose name is this. */
  key(names: Names, name: string): string;
  /** What a flow asks for that takes all events of the case; undefined where it cannot. */
  readonly all: string | undefined;
  /** What patterns take, and what they refuse. */
  readonly patterns: readonly (readonly [string, readonly string[], readonly string[]])[];
  /** Whether each operation gets a delivery of its own. */
  readonly separate: boolean;
  /** Whether instances share events; otherwise each gets all of them. */
  readonly shared: boolean;
  /** Whether it keeps events for a consumer that is away. */
  readonly keeps: boolean;
  /** Whether a message that waits for its next delivery holds up no other one. */
  readonly delays: boolean;
  /** What flows see of headers; undefined where there are none. */
  readonly headers: ((sent: Headers) => Headers) | undefined;
  /** What flows see beside the body and the headers. */
  metadata(names: Names, key: string): Readonly<Record<string, unknown>>;
  /** `shown`: flows see the id of a message; `unique`: the broker drops a second one. */
  readonly ids: "shown" | "unique" | undefined;
  /** Attributes with which a publish fails that nothing takes, and how; undefined where none does. */
  readonly refusal:
    | ((names: Names) => { readonly attributes: string; readonly reason: RegExp })
    | undefined;
}

/** Headers of a message. */
export type Headers = Readonly<Record<string, unknown>>;

/** A client of the broker. */
export interface Outside {
  /** Sends bytes as an event with this key. */
  send(names: Names, key: string, body: Uint8Array): Promise<void>;
  /** The bodies of the dead letters, as they are. */
  letters(names: Names): Promise<readonly Uint8Array[]>;
  /** Removes what a case has left. */
  clear(names: Names): Promise<void>;
  close(): Promise<void>;
}

/** A consumer block; `where` is what its dlq block says about the place. */
export const consumer = ({ prefetch, dlq }: Consuming, where: string): string =>
  `consumer {\n prefetch = ${prefetch}\n${
    dlq === undefined ? "" : `dlq {\n${where}\n${dlq}\n}`
  }\n}`;
