/** What links the workers of one service, as each of them sees it. No I/O. */
import type { KeyStore } from "./connector.ts";

/** The line from a connector to the same connector in every other worker. Messages are JSON. */
export interface Channel {
  /** Tells the others; each hears what one worker tells in the order in which it was told. */
  tell(message: unknown): void;
  /**
   * Asks the others, after everything that was told before; gives the answers of those that are
   * there until they have answered.
   */
  ask(message: unknown): Promise<readonly unknown[]>;
  /** Who hears what the others say. What it returns answers one that asks; it must not throw. */
  listen(hear: (message: unknown) => unknown): void;
}

/** A lock that has been asked for. */
export interface Lock {
  /** Resolves once it is there. */
  readonly held: Promise<void>;
  /** Lets go of it, or waits for it no longer. A worker that ends lets go of its own. */
  release(): void;
}

/** The workers of one service, seen from one of them. */
export interface Cluster {
  /** True in one of them all: what a service does once is done there. */
  readonly leader: boolean;
  /** The line of one connector. */
  channel(connector: string): Channel;
  /** Takes one of so many seats that all workers share; false where none is free. */
  takeSeat(name: string, limit: number): Promise<boolean>;
  /** Gives a seat back. A worker that ends gives back its own. */
  leaveSeat(name: string): void;
  /** Asks for a lock that one worker at a time has. */
  lock(name: string): Lock;
  /** Keys in the memory that all share, at most so many a flow. */
  keys(maxKeys: number): KeyStore;
  /** Resolves once every worker has come to a step of the shutdown. */
  meet(step: string): Promise<void>;
}

/** The cluster as one connector sees it. */
export interface ConnectorCluster {
  /** True in one worker of all: what a connector does once for the service is done there. */
  readonly leader: boolean;
  /** The line to the same connector in the other workers. */
  readonly channel: Channel;
  /**
   * The options of all `to` blocks that write to this connector, in the order of the files: the
   * same place stands for the same block in every worker.
   */
  readonly destinations: readonly unknown[];
  /** Takes one of so many seats that all workers share; false where none is free. */
  takeSeat(limit: number): Promise<boolean>;
  /** Gives a seat back. */
  leaveSeat(): void;
}
