/** What differs between message brokers in the tests of faults. */
import { until } from "../../support/mq.ts";
import type { OwnServer } from "../../support/own-server.ts";
import type { Service } from "../../support/services.ts";

/** The servers. Two kinds may share one. */
export interface ServerKind {
  readonly title: string;
  readonly service: Service;
  /** Starts one that keeps what it has acknowledged. */
  open(): Promise<OwnServer>;
  /** True where others of the test file have it as well, and one of them ends it. */
  readonly shared?: boolean;
}

/** How a connector consumes. */
export interface Consuming {
  readonly prefetch?: number;
  /** Where it has dead letters: how often a message is redelivered, and how long after. */
  readonly dlq?: { readonly retries: number; readonly delay: string };
}

/** What a connector is made with. */
export interface ConnectorOptions extends Consuming {
  /** Names that nobody else uses begin with it. */
  readonly id: string;
  readonly port: number;
  /** What its flows consume; none where it only publishes. */
  readonly consumes: boolean;
}

/** A dead letter. */
export interface Letter {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** A client of the test's own. */
export interface Peer {
  /** Publishes bytes as they are, all else as JSON; resolves once the server has it. */
  publish(key: string, body: unknown): Promise<void>;
  /** How many messages are not acked; undefined where the server does not tell. */
  waiting(): Promise<number | undefined>;
  /** What is among the dead letters. */
  letters(): Promise<readonly Letter[]>;
  close(): Promise<void>;
}

/** Why a server takes no message. */
export interface Refusal {
  readonly what: string;
  /** Where it is published; an unused word's key by default. */
  key?(id: string): string;
  readonly payload?: unknown;
  /** Arranges it, where it is not always so; what it returns undoes it. */
  arrange?(server: OwnServer): Promise<() => Promise<unknown>>;
  /** What the log says. */
  readonly reason: RegExp;
}

/** One way to use a broker. */
export interface Kind {
  readonly title: string;
  /** The name of its connector. */
  readonly name: string;
  readonly server: ServerKind;
  /** Whether what was not acked comes again. */
  readonly keeps: boolean;
  /** Whether it has dead letters. */
  readonly deadLetters: boolean;
  /** The channel, stream, subject or topic of a word, to publish to. */
  key(id: string, word: string): string;
  /** What a flow names to get what is published there; the key by default. */
  operation?(id: string, word: string): string;
  /** The block of its connector. */
  connector(options: ConnectorOptions): string;
  connect(server: OwnServer, id: string): Promise<Peer>;
  /** Ends the connections of Weir, as an operator does, where one can. */
  disconnect?(server: OwnServer): Promise<void>;
  /** What the server keeps for a consumer, by its name, and how an operator removes it. */
  readonly removals: Readonly<Record<string, (server: OwnServer, id: string) => Promise<void>>>;
  readonly refusals: readonly Refusal[];
  /** Whether a server that was started again takes no messages before Weir has connected. */
  readonly forgets?: boolean;
  /** What a SIGKILL must wait for where the server acknowledges before it has saved. */
  settle?(server: OwnServer): Promise<void>;
}

/** The block of a connector about consuming; `letters` is where dead letters go. */
export function consumerOf({ prefetch, dlq }: Consuming, letters = "", attributes = ""): string {
  const block = dlq === undefined ? "" : `
    dlq {
      ${letters}
      max_retries = ${dlq.retries}
      retry_delay = "${dlq.delay}"
    }`;
  return `
    consumer {
      ${prefetch === undefined ? "" : `prefetch = ${prefetch}`}
      ${attributes}
      ${block}
    }`;
}

/** Waits until a server that tells it has no message that is not acked. */
export async function settled(peer: Peer, limit?: number): Promise<void> {
  await until("nothing waits", async () => (await peer.waiting() ?? 0) === 0, limit);
}
