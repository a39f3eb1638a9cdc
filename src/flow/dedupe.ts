/** Skips events that have been handled before. */
import type { Clock } from "../base/clock.ts";
import { digest } from "../base/text.ts";
import type { Cluster, DedupeStore } from "../contract/cluster.ts";
import type { Logger } from "../contract/connector.ts";
import type { DedupeModel } from "../model/mod.ts";
import { type Coroutine, waitFor } from "./coroutine.ts";
import { asScope, type Run } from "./run.ts";

/** What dedupe needs beside its block. */
export interface DedupeContext {
  readonly flow: string;
  readonly clock: Clock;
  readonly store: DedupeStore;
  readonly logger: Logger;
  /** The other workers, which may be handling the same event; undefined without any. */
  readonly cluster: Cluster | undefined;
}

/** The `dedupe` block of one flow. */
export class Dedupe {
  readonly #model: DedupeModel;
  readonly #context: DedupeContext;
  /** Events in flight by key. Another event with the key waits to see whether the first succeeds. */
  readonly #inFlight = new Map<string, Promise<void>>();

  /** Saves keys in the context's store. */
  constructor(model: DedupeModel, context: DedupeContext) {
    this.#model = model;
    this.#context = context;
  }

  /**
   * Runs `work` unless the event's key is known, and saves the key if `work` succeeds. Returns false
   * if the event has been handled before.
   */
  *once(run: Run, work: () => Coroutine<void>): Coroutine<boolean> {
    const value = this.#model.key.evaluate(asScope(run.scope));
    if (value === null) {
      yield* work();
      return true;
    }
    const key = digest(JSON.stringify(value));
    for (let other = this.#inFlight.get(key); other; other = this.#inFlight.get(key)) yield other;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#inFlight.set(key, promise);
    const { flow, clock, store, cluster } = this.#context;
    const lock = cluster?.lock(`dedupe ${flow} ${key}`);
    try {
      if (lock !== undefined) yield lock.held;
      if (yield* waitFor(store.has(flow, key, clock.now()))) return false;
      yield* work();
      yield* this.#save(key);
      return true;
    } finally {
      lock?.release();
      this.#inFlight.delete(key);
      resolve();
    }
  }

  /** The event has been delivered, so a key that cannot be saved is not a failure of the flow. */
  *#save(key: string): Coroutine<void> {
    const { flow, clock, store, logger } = this.#context;
    const now = clock.now();
    try {
      yield* waitFor(store.add(flow, key, now, now + this.#model.ttl));
    } catch (error) {
      logger.error("flow {flow} could not save a dedupe key, so the event may run twice: {error}", {
        flow,
        error,
      });
    }
  }
}

/** Keys in the memory of this process, up to a maximum number. */
export class MemoryDedupeStore implements DedupeStore {
  /** When each key expires, oldest first. */
  readonly #keys = new Map<string, number>();
  readonly #maxKeys: number;

  /** A store serves one flow. */
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
