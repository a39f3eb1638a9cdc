/** What links the workers of one service, as each of them sees it. No I/O. */
import type { KeyStore } from "./connector.ts";
import type { Channel } from "./channel.ts";
import type { Progress } from "../base/timetable.ts";

/** A lock that has been asked for. */
export interface Lock {
  /** Resolves once it is there. */
  readonly held: Promise<void>;
  /** Lets go of it, or waits for it no longer. A worker that ends lets go of its own. */
  release(): void;
}

/** The workers of one service, seen from one of them. */
export interface Cluster {
  /** True in one of them all: what a service does once is done there, until it ends. */
  readonly leader: boolean;
  /**
   * Calls `act` once this worker leads, now or when it takes the place of one that has led before it
   * and has ended; `takesOver` is true then. Returns the promise of `act` where it is called now, else
   * one that is resolved. `act` is not called any more when this worker ends before.
   */
  onceLeading(act: (takesOver: boolean) => Promise<void>): Promise<void>;
  /** How far a schedule has come in the worker that has led before; undefined where none has. */
  progressOf(schedule: string): Promise<Progress | undefined>;
  /** Notes how far a schedule has come. */
  noteProgress(schedule: string, progress: Progress): void;
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
