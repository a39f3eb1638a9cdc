/** Leaves out events that have been handled before. */
import type { Clock } from "../base/clock.ts";
import type { Cluster, DedupeStore } from "../contract/cluster.ts";
import type { Logger } from "../contract/connector.ts";
import type { DedupeModel } from "../model/mod.ts";
import { digest } from "./digest.ts";
import { asScope, type Run } from "./run.ts";
import { settled, type Work } from "./work.ts";

/** What dedupe needs beside its block. */
export interface DedupeContext {
  readonly flow: string;
  readonly clock: Clock;
  /** Where the keys are kept. */
  readonly store: DedupeStore;
  readonly logger: Logger;
  /** The other workers, where an event's copy may be at work at the same time. */
  readonly cluster: Cluster | undefined;
}

/** The keys of one flow. */
export class Dedupe {
  readonly #model: DedupeModel;
  readonly #context: DedupeContext;
  /** Events at work, by key: who comes second waits to see whether the first succeeds. */
  readonly #atWork = new Map<string, Promise<void>>();

  /** Keeps keys in the context's store. */
  constructor(model: DedupeModel, context: DedupeContext) {
    this.#model = model;
    this.#context = context;
  }

  /**
   * Does the work unless the event's key is known, and keeps the key if it succeeds. Gives false
   * where the event has been handled before.
   */
  *once(run: Run, work: () => Work<void>): Work<boolean> {
    const value = this.#model.key.evaluate(asScope(run.scope));
    if (value === null) {
      yield* work();
      return true;
    }
    const key = digest(JSON.stringify(value));
    for (let other = this.#atWork.get(key); other; other = this.#atWork.get(key)) yield other;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#atWork.set(key, promise);
    const { flow, clock, store, cluster } = this.#context;
    const lock = cluster?.lock(`dedupe ${flow} ${key}`);
    try {
      if (lock !== undefined) yield lock.held;
      if (yield* settled(store.has(flow, key, clock.now()))) return false;
      yield* work();
      yield* this.#keep(key);
      return true;
    } finally {
      lock?.release();
      this.#atWork.delete(key);
      resolve();
    }
  }

  /** What has been delivered stays delivered, even where its key cannot be kept. */
  *#keep(key: string): Work<void> {
    const { flow, clock, store, logger } = this.#context;
    const now = clock.now();
    try {
      yield* settled(store.add(flow, key, now, now + this.#model.ttl));
    } catch (error) {
      logger.error("flow {flow} could not keep a key, the event may run twice: {error}", {
        flow,
        error,
      });
    }
  }
}

/** Keys in memory: gone with the process, and never more than a number of them. */
export class MemoryDedupeStore implements DedupeStore {
  /** When each runs out, oldest first. */
  readonly #keys = new Map<string, number>();
  readonly #maxKeys: number;

  /** One store serves one flow. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  has(_flow: string, key: string, now: number): boolean {
    return (this.#keys.get(key) ?? 0) > now;
  }

  add(_flow: string, key: string, now: number, until: number): void {
    this.#keys.delete(key);
    this.#keys.set(key, until);
    for (const [oldest, end] of this.#keys) {
      if (end > now && this.#keys.size <= this.#maxKeys) return;
      this.#keys.delete(oldest);
    }
  }
}
