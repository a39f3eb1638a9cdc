/** The calls between the members of a cluster and their coordinator. All arguments are JSON. */
import type { Progress } from "../contract/cluster.ts";

/** What the coordinator calls in a member. */
export interface MemberFunctions {
  /** The member is the leader from now on. */
  lead(): void;
  /** Returns once everything that has arrived before has been handled. */
  ping(): void;
}

/** What a member calls in the coordinator. */
export interface CoordinatorFunctions {
  /** Acquires one of the `limit` slots of this name; false if none is free. */
  acquireSlot(name: string, limit: number): boolean;
  releaseSlot(name: string): void;
  /** Resolves when the lock is acquired. `id` is a new one for each request. */
  lock(id: string, name: string): Promise<void>;
  /** Releases a lock, or withdraws its request. */
  unlock(id: string): void;
  hasKey(flow: string, key: string, now: number): boolean | Promise<boolean>;
  addKey(
    flow: string,
    key: string,
    now: number,
    until: number,
    answer: string | null,
    maxKeys: number,
  ): void | Promise<void>;
  /** The answer that was kept with a key; null if there is none. */
  keyAnswer(flow: string, key: string, now: number): Promise<string | null>;
  /** How far a schedule has come; null if no member has run it before. */
  loadProgress(schedule: string): Progress | null;
  saveProgress(schedule: string, progress: Progress): void;
  /** The text that a member has saved under a name; null if none has. */
  loadText(name: string): string | null;
  saveText(name: string, text: string): void;
  /** Resolves when every member has reached the step. */
  barrier(step: string): Promise<void>;
}

/** Functions on the other side of a connection. `asEvent` calls one without waiting for its result. */
export type Remote<Functions> = {
  readonly [Name in keyof Functions]: Functions[Name] extends (...args: infer Args) => infer Result
    ?
      & ((...args: Args) => Promise<Awaited<Result>>)
      & { asEvent(...args: Args): Promise<void> }
    : never;
};
