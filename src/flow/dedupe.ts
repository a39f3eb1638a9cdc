/** Skips events that have been handled before. */
import type { Clock } from "../base/clock.ts";
import { digest } from "../base/text.ts";
import type { DedupeStore, Lock } from "../contract/cluster.ts";
import type { Logger, Outcome, Transaction } from "../contract/connector.ts";
import type { DedupeModel, FlowModel } from "../model/mod.ts";
import type { FlowContext } from "./context.ts";
import { type Coroutine, waitFor } from "./coroutine.ts";
import { HANDLED } from "./error-handling.ts";
import { keptAnswer, outcomeOf } from "./kept-answer.ts";
import { asScope, type Run } from "./run.ts";
import { loggingFor } from "./run-log.ts";

/** What dedupe needs beside its block. */
export interface DedupeContext {
  readonly flow: string;
  /** Whether anybody is answered, so that answers are kept. */
  readonly answers: boolean;
  readonly clock: Clock;
  readonly store: DedupeStore;
  readonly logger: Logger;
  /** Whether the key is kept in the transaction of the destinations, where the store can. */
  readonly keeping: boolean;
  /** For other processes, which may be handling the same event; undefined without any. */
  readonly locks: { lock(name: string): Lock } | undefined;
}

/** The dedupe of a flow, with the store that its block names, or that all instances share. */
export function dedupeOf(
  dedupe: DedupeModel,
  { name: flow, response, to }: FlowModel,
  { connectors, clock, logger, cluster, shared }: FlowContext,
  keeping: boolean,
): Dedupe {
  const named = dedupe.store === undefined ? undefined : connectors.get(dedupe.store)?.dedupeStore;
  const store = named ?? shared?.store ?? cluster?.dedupeStore(dedupe.maxKeys) ??
    new MemoryDedupeStore(dedupe.maxKeys);
  const answers = response !== undefined || to.some(({ resultUsed }) => resultUsed);
  const locks = shared ?? cluster;
  return new Dedupe(dedupe, { flow, answers, clock, store, logger, locks, keeping });
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
   * Runs `work` unless the event's key is known, and saves the key with the answer that `respond`
   * makes. Returns the first answer if the event has been handled before. What `work` gets it calls in
   * the transaction of its destinations, if they are one.
   */
  *once(
    run: Run,
    work: (keep?: (transaction: Transaction) => Coroutine<void>) => Coroutine<void>,
    respond: () => Outcome,
  ): Coroutine<Outcome> {
    const value = this.#model.key.evaluate(asScope(run.scope));
    if (value === null) {
      yield* work();
      return respond();
    }
    const key = digest(JSON.stringify(value));
    for (let other = this.#inFlight.get(key); other; other = this.#inFlight.get(key)) yield other;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#inFlight.set(key, promise);
    const { flow, clock, store, locks } = this.#context;
    const lock = locks?.lock(`dedupe ${flow} ${key}`);
    try {
      if (lock !== undefined) yield lock.held;
      if (yield* waitFor(store.has(flow, key, clock.now()))) {
        return yield* this.#firstAnswer(key, run);
      }
      if (this.#context.keeping) return yield* this.#together(key, run, work, respond);
      yield* work();
      return yield* this.#respond(key, run, respond);
    } finally {
      lock?.release();
      this.#inFlight.delete(key);
      resolve();
    }
  }

  /** The destinations have the event, and the key is kept, or neither. */
  *#together(
    key: string,
    run: Run,
    work: (keep: (transaction: Transaction) => Coroutine<void>) => Coroutine<void>,
    respond: () => Outcome,
  ): Coroutine<Outcome> {
    const { flow, clock, store, answers } = this.#context;
    const { ttl } = this.#model;
    yield* waitFor(store.prepare?.(clock.now()));
    let response: Response | undefined;
    let keeping = false;
    try {
      yield* work(function* ({ dedupeKeys }) {
        response = undefined;
        keeping = false;
        if (dedupeKeys === undefined) return;
        const made = responseOf(run, respond);
        const answer = answers && "outcome" in made ? keptAnswer(made.outcome) : undefined;
        const now = clock.now();
        keeping = true;
        yield* waitFor(dedupeKeys.add(flow, key, now, now + ttl, answer));
        response = made;
      });
    } catch (error) {
      // Another instance has handled the same event at the same time: all that was done here is undone.
      if (!keeping || !(yield* waitFor(store.has(flow, key, clock.now())))) throw error;
      return yield* this.#firstAnswer(key, run);
    }
    if (response === undefined) return yield* this.#respond(key, run, respond);
    if ("outcome" in response) return response.outcome;
    run.stage = "response";
    throw response.error;
  }

  /** The event has been delivered, so its key is saved even if the response fails. */
  *#respond(key: string, run: Run, respond: () => Outcome): Coroutine<Outcome> {
    let outcome: Outcome;
    try {
      outcome = respond();
    } catch (error) {
      yield* this.#save(key, run, undefined);
      throw error;
    }
    yield* this.#save(key, run, this.#context.answers ? keptAnswer(outcome) : undefined);
    return outcome;
  }

  /** The event has been handled, so an answer that cannot be read is not a failure of the flow. */
  *#firstAnswer(key: string, run: Run): Coroutine<Outcome> {
    run.outcome = "duplicate";
    this.#model.repeated?.();
    const { flow, clock, store, answers } = this.#context;
    if (!answers || store.answer === undefined) return HANDLED;
    try {
      const answer = yield* waitFor(store.answer(flow, key, clock.now()));
      return typeof answer === "string" ? outcomeOf(answer) : HANDLED;
    } catch (error) {
      const { logger } = loggingFor(this.#context, run);
      logger.error("flow {flow} could not read the answer to a repeated event: {error}", {
        flow,
        error,
      });
      return HANDLED;
    }
  }

  /** The event has been delivered, so a key that cannot be saved is not a failure of the flow. */
  *#save(key: string, run: Run, answer: string | undefined): Coroutine<void> {
    const { flow, clock, store } = this.#context;
    const now = clock.now();
    try {
      yield* waitFor(store.add(flow, key, now, now + this.#model.ttl, answer));
    } catch (error) {
      const { logger } = loggingFor(this.#context, run);
      logger.error("flow {flow} could not save a dedupe key, so the event may run twice: {error}", {
        flow,
        error,
      });
    }
  }
}

/** A response, or why there is none. */
type Response = { readonly outcome: Outcome } | { readonly error: unknown };

/** Responds within a transaction, which may be repeated: everything else of the run stays as it was. */
function responseOf(run: Run, respond: () => Outcome): Response {
  const { stage, scope } = run;
  const { output } = scope;
  try {
    return { outcome: respond() };
  } catch (error) {
    return { error };
  } finally {
    run.stage = stage;
    scope.output = output;
  }
}

/** How much memory the answers of one flow take at most, in UTF-16 units of two bytes. */
const MAX_ANSWERS = 16 * 1024 * 1024;

/** Keys in the memory of this process, up to a maximum number. */
export class MemoryDedupeStore implements DedupeStore {
  /** When each key expires, oldest first. */
  readonly #keys = new Map<string, number>();
  /** The answers of some of the keys, oldest first. */
  readonly #answers = new Map<string, string>();
  /** The length of all answers. */
  #size = 0;
  readonly #maxKeys: number;

  /** A store serves one flow. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  has(_flow: string, key: string, now: number): boolean {
    return (this.#keys.get(key) ?? 0) > now;
  }

  answer(flow: string, key: string, now: number): string | undefined {
    return this.has(flow, key, now) ? this.#answers.get(key) : undefined;
  }

  add(_flow: string, key: string, now: number, until: number, answer?: string): void {
    this.#keys.delete(key);
    this.#keys.set(key, until);
    this.#forgetAnswer(key);
    if (answer !== undefined) this.#keepAnswer(key, answer);
    for (const [oldest, end] of this.#keys) {
      if (end > now && this.#keys.size <= this.#maxKeys) return;
      this.#keys.delete(oldest);
      this.#forgetAnswer(oldest);
    }
  }

  #keepAnswer(key: string, answer: string): void {
    this.#answers.set(key, answer);
    this.#size += answer.length;
    for (const oldest of this.#answers.keys()) {
      if (this.#size <= MAX_ANSWERS) return;
      this.#forgetAnswer(oldest);
    }
  }

  #forgetAnswer(key: string): void {
    const answer = this.#answers.get(key);
    if (answer === undefined) return;
    this.#answers.delete(key);
    this.#size -= answer.length;
  }
}
