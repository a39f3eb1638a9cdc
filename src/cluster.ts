/** What links the workers of one service, as each of them sees it. No I/O. */
import type { KeyStore } from "./connector.ts";
import type { Channel } from "./connector-cluster.ts";

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
  /**
   * What the first worker has read under a name, as JSON; `read` is called where there is nothing
   * yet. So a worker that takes another one's place has the same configuration, whatever has become
   * of the files.
   */
  readOnce<T>(name: string, read: () => Promise<T>): Promise<T>;
  /** Resolves once every worker has come to a step of the shutdown. */
  meet(step: string): Promise<void>;
}
