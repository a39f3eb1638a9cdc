/** Coroutines: they wait for promises only where there are some, and can be timed out there. */
import { getLogger } from "@logtape/logtape";
import { TimeoutError } from "../base/errors.ts";
import { isPromiseLike } from "../base/promise-like.ts";
import type { Cancellable } from "../contract/connector.ts";
import { placedAs } from "../contract/placed.ts";
import type { Deadlines } from "../base/deadlines.ts";

/** A generator that yields each promise it waits for, and receives its value. */
export type Coroutine<T> = Generator<PromiseLike<unknown>, T, unknown>;

/** Thrown into a coroutine at the promise it waits for when the flow's timeout has passed. */
export class FlowTimeout extends TimeoutError {
  override readonly name = "FlowTimeout";
}

/** Returns a value as it is, or waits for it if it is a promise. */
export function* waitFor(value: unknown): Coroutine<unknown> {
  return isPromiseLike(value) ? yield value : value;
}

/**
 * Runs a coroutine. Returns its value directly if it waits for nothing. When it waits beyond the
 * deadline, it receives a `FlowTimeout` and a second deadline of the same length. Where `waitsOnce`
 * says that it waits for one promise at most, its own promise is placed as that one is.
 */
export function runWithDeadline<T>(
  coroutine: Coroutine<T>,
  deadlines: Deadlines,
  waitsOnce = false,
): T | Promise<T> {
  const { done, value } = coroutine.next();
  if (done) return value;
  const running = new Suspended(coroutine, deadlines).start(value);
  return waitsOnce ? placedAs(running, value) : running;
}

/** Runs a coroutine without a deadline. Returns its value directly if it waits for nothing. */
export function runWithoutDeadline<T>(coroutine: Coroutine<T>): T | Promise<T> {
  const { done, value } = coroutine.next();
  return done ? value : resumeUntilDone(coroutine, value);
}

async function resumeUntilDone<T>(
  coroutine: Coroutine<T>,
  first: PromiseLike<unknown>,
): Promise<T> {
  let pending = first;
  for (;;) {
    const [end] = await Promise.allSettled([pending]);
    const { done, value } = end.status === "fulfilled"
      ? coroutine.next(end.value)
      : coroutine.throw(end.reason);
    if (done) return value;
    pending = value;
  }
}

/** A coroutine that waits. */
class Suspended<T> {
  readonly #coroutine: Coroutine<T>;
  readonly #deadlines: Deadlines;
  readonly #ended = Promise.withResolvers<T>();
  /** Counts the promises. One that settles after its turn is ignored. */
  #turn = 0;
  #pending: PromiseLike<unknown> | undefined;

  constructor(coroutine: Coroutine<T>, deadlines: Deadlines) {
    this.#coroutine = coroutine;
    this.#deadlines = deadlines;
  }

  start(pending: PromiseLike<unknown>): Promise<T> {
    this.#deadlines.add(this);
    this.#wait(pending);
    return this.#ended.promise;
  }

  /** The deadlines have removed it before they call this. */
  expire(): void {
    const pending = this.#pending;
    this.#deadlines.add(this);
    const timeout = new FlowTimeout(
      `timed out after ${this.#deadlines.timeout} ms${doing(pending)}`,
    );
    this.#resume(this.#turn, () => this.#coroutine.throw(timeout));
    cancel(pending);
  }

  #wait(pending: PromiseLike<unknown>): void {
    const turn = ++this.#turn;
    this.#pending = pending;
    pending.then(
      (value) => this.#resume(turn, () => this.#coroutine.next(value)),
      (error) => this.#resume(turn, () => this.#coroutine.throw(error)),
    );
  }

  #resume(turn: number, act: () => IteratorResult<PromiseLike<unknown>, T>): void {
    if (turn !== this.#turn) return;
    try {
      const { done, value } = act();
      if (!done) return this.#wait(value);
      this.#end();
      this.#ended.resolve(value);
    } catch (error) {
      this.#end();
      this.#ended.reject(error);
    }
  }

  #end(): void {
    this.#turn++;
    this.#deadlines.delete(this);
  }
}

/**
 * Cancels the work behind a promise if it is `Cancellable`. Never throws, since the caller has more
 * to cancel: an error of the connector is logged.
 */
export function cancel(pending: unknown): void {
  const { cancel } = Object(pending) as Partial<Cancellable>;
  if (typeof cancel !== "function") return;
  const call = async () => await cancel.call(pending);
  call().catch((error) => {
    getLogger(["weir", "flow"]).error("a connector failed to cancel its work: {error}", { error });
  });
}

/** What the work behind a promise does now, as the end of a sentence; empty where it cannot tell. */
export function doing(pending: unknown): string {
  try {
    const words = (Object(pending) as Partial<Cancellable>).doing?.();
    return words === undefined ? "" : `; ${words}`;
  } catch {
    // A connector's mistake must not keep the flow from its timeout.
    return "";
  }
}
