/**
 * The workers of one service on one machine, as the runtime and its connectors in one of them see
 * them. `instances.ts` has what holds over many machines, too. No I/O.
 */

import type { Backplane } from "./backplane.ts";

/** Remembers the events that have been handled, for the `dedupe` of flows. */
export interface DedupeStore {
  /** Whether the flow has a key that has not expired at `now`, in milliseconds since the epoch. */
  has(flow: string, key: string, now: number): boolean | Promise<boolean>;
  /**
   * Keeps a key until `until`, with the answer to its event, a text of at most 4,200 bytes, if there
   * is one. Forgets the keys that have expired at `now`.
   */
  add(
    flow: string,
    key: string,
    now: number,
    until: number,
    answer?: string,
  ): void | Promise<void>;
  /**
   * Makes ready what a transaction needs to keep a key, and forgets the keys that have expired at
   * `now`. Called before each transaction that is to keep one.
   */
  prepare?(now: number): void | Promise<void>;
  /**
   * The answer that was kept with a key which has not expired at `now`; undefined if there is none.
   * Without this function, a repeated event is acknowledged without data.
   */
  answer?(
    flow: string,
    key: string,
    now: number,
  ): string | undefined | Promise<string | undefined>;
}

/** A lock that has been requested. */
export interface Lock {
  /** Resolves when the lock is acquired. */
  readonly held: Promise<void>;
  /** Releases the lock, or withdraws the request. The locks of a worker that ends are released. */
  release(): void;
}

/** How far a schedule has come, so that another process can continue it. */
export interface Progress {
  /** The last time that needs no run any more, in milliseconds since the epoch. */
  readonly due: number;
  /** How long ago that was on the monotonic clock, in milliseconds. */
  readonly ago: number;
  /** The time of the run in flight, in milliseconds since the epoch; null if there is none. */
  readonly unfinished: number | null;
}

/** The cluster as one connector sees it. */
export interface ConnectorCluster {
  /** The number of this worker, from 1. One that replaces another has its number. */
  readonly worker: number;
  /** True in exactly one worker: it does what the service does once. */
  readonly leader: boolean;
  /**
   * Calls `act` when this worker is the leader: now, or when it replaces a leader that has ended;
   * then `takesOver` is true. Returns the promise of `act` if it is called now, a resolved one if not.
   */
  whenLeader(act: (takesOver: boolean) => Promise<void>): Promise<void>;
  /**
   * Returns what the first worker has read under a name; calls `read` if none has. A connector reads
   * everything beside its options this way, so that all workers use the same. The value is JSON.
   */
  readOnce<T>(name: string, read: () => Promise<T>): Promise<T>;
  /** Acquires one of the `limit` slots that all workers share; false if none is free. */
  acquireSlot(limit: number): Promise<boolean>;
  /** Releases a slot. */
  releaseSlot(): void;
}

/** The cluster as the runtime of one worker sees it. Connectors get a part of it. */
export interface Cluster extends
  Pick<
    ConnectorCluster,
    "worker" | "leader" | "whenLeader" | "readOnce"
  > {
  /** The id of this worker as an instance of the service: 1 to 32 of `a-z` and `0-9`. */
  readonly instance: string;
  /**
   * The link to the other workers; a connector with a backplane does not use it. It has no `keys`:
   * locks, keys of `dedupe`, slots, what is read once, the leader and the progress of schedules are
   * kept by the process that looks after the workers, and this interface has them.
   */
  readonly link: Backplane;
  /** How far a schedule has come in the former leader; undefined if there was none. */
  loadProgress(schedule: string): Promise<Progress | undefined>;
  /** Saves how far a schedule has come, for the next leader. */
  saveProgress(schedule: string, progress: Progress): void;
  /** Acquires one of the `limit` slots of this name that all workers share; false if none is free. */
  acquireSlot(name: string, limit: number): Promise<boolean>;
  /** Releases a slot. The slots of a worker that ends are released. */
  releaseSlot(name: string): void;
  /** Requests a lock that one worker at a time holds. Locks are granted in the order of requests. */
  lock(name: string): Lock;
  /** A store in memory that all workers share, with at most `maxKeys` keys for each flow. */
  dedupeStore(maxKeys: number): DedupeStore;
  /** Resolves when every worker has reached a step of the shutdown. */
  barrier(step: string): Promise<void>;
}
