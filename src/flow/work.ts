/** Work that waits only where there is something to wait for, and can be interrupted there. */
import { TimeoutError } from "../base/errors.ts";
import { cancel } from "./cancel.ts";
import type { Deadlines } from "./deadlines.ts";

/** What is to be done: a generator that yields each promise that it waits for. */
export type Work<T> = Generator<PromiseLike<unknown>, T, unknown>;

/** Thrown into work at the place where it waits, when its time is up. */
export class OutOfTime extends TimeoutError {
  override readonly name = "OutOfTime";
}

/** The value itself, or what the promise gives. */
export function* settled(value: unknown): Work<unknown> {
  return isPromiseLike(value) ? yield value : value;
}

/**
 * Does the work. Returns at once where it waits for nothing. Work that waits longer than the
 * deadlines allow gets `OutOfTime` at that place, and as much time again for what it does then.
 */
export function perform<T>(work: Work<T>, deadlines: Deadlines): T | Promise<T> {
  const { done, value } = work.next();
  return done ? value : new Waiting(work, deadlines).start(value);
}

/** Does the work without a deadline of its own. Returns at once where it waits for nothing. */
export function workThrough<T>(work: Work<T>): T | Promise<T> {
  const { done, value } = work.next();
  return done ? value : workOn(work, value);
}

async function workOn<T>(work: Work<T>, first: PromiseLike<unknown>): Promise<T> {
  let pending = first;
  for (;;) {
    const [end] = await Promise.allSettled([pending]);
    const { done, value } = end.status === "fulfilled"
      ? work.next(end.value)
      : work.throw(end.reason);
    if (done) return value;
    pending = value;
  }
}

/** Work that waits. */
class Waiting<T> {
  readonly #work: Work<T>;
  readonly #deadlines: Deadlines;
  readonly #ended = Promise.withResolvers<T>();
  /** Which promise it waits for; what an earlier one gives is of no interest any more. */
  #turn = 0;
  #pending: PromiseLike<unknown> | undefined;

  constructor(work: Work<T>, deadlines: Deadlines) {
    this.#work = work;
    this.#deadlines = deadlines;
  }

  start(pending: PromiseLike<unknown>): Promise<T> {
    this.#deadlines.add(this);
    this.#wait(pending);
    return this.#ended.promise;
  }

  /** Called by the deadlines, which have forgotten it by then. */
  expire(): void {
    const pending = this.#pending;
    this.#deadlines.add(this);
    this.#resume(this.#turn, () => this.#work.throw(new OutOfTime("took too long")));
    cancel(pending);
  }

  #wait(pending: PromiseLike<unknown>): void {
    const turn = ++this.#turn;
    this.#pending = pending;
    pending.then(
      (value) => this.#resume(turn, () => this.#work.next(value)),
      (error) => this.#resume(turn, () => this.#work.throw(error)),
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

/** Whether something has a `then` to wait for. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function";
}
