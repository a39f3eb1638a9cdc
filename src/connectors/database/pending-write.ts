/** A write that waits for its commit. */
import { messageOf, shownWords } from "../../base/shown.ts";
import type { Cancellable } from "../../contract/connector.ts";
import { AT_SERVER } from "./activity.ts";
import type { Result, Statement, Step } from "./driver.ts";

/** Nobody waits for it any more, or the database is closed: it was not written. */
export class CancelledError extends Error {
  override readonly name = "CancelledError";
}

/** The connection was lost before the database answered; `cause` says how. */
export class UnknownWriteError extends Error {
  override readonly name = "UnknownWriteError";

  /** `cause` is what was noticed of the connection. */
  constructor(cause: unknown) {
    super(`${shownWords(messageOf(cause))}; it may have been written`, { cause });
  }
}

/** What writes that share a batch have in common while it is in flight. */
export interface Flight {
  /** Called where one of them is cancelled. */
  abandon(): void;
  /** Whether the server has it. */
  begun: boolean;
}

/** A write from its arrival to its end. */
export class PendingWrite implements Step, Cancellable<Result> {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  readonly #withdraw: (write: PendingWrite) => void;
  readonly #settled: PromiseWithResolvers<Result> = Promise.withResolvers();
  #flight: Flight | undefined;
  #cancelled = false;

  /** `withdraw` is called where it is cancelled while it is not in flight. */
  constructor(
    statement: Statement,
    values: readonly unknown[],
    withdraw: (write: PendingWrite) => void,
  ) {
    this.statement = statement;
    this.values = values;
    this.#withdraw = withdraw;
  }

  /** Whether nobody waits for it any more. Then it fails, if it has not been settled. */
  isDropped(): boolean {
    if (this.#cancelled) this.fail(new CancelledError("was cancelled"));
    return this.#cancelled;
  }

  /** Its result, once it is durable. */
  then<A = Result, B = never>(
    resolved?: ((result: Result) => A | PromiseLike<A>) | null,
    rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#settled.promise.then(resolved, rejected);
  }

  /** Fails it at once, unless it is in flight: then it settles with its batch. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    if (this.#flight !== undefined) return this.#flight.abandon();
    this.fail(new CancelledError("was cancelled"));
    this.#withdraw(this);
  }

  doing(): string | undefined {
    return this.#flight?.begun ? AT_SERVER : undefined;
  }

  /** It is in flight from now on. */
  depart(flight: Flight): void {
    this.#flight = flight;
  }

  /** It is not in flight any more. Where it is not settled next, it will be executed again. */
  land(): void {
    this.#flight = undefined;
  }

  /** It is durable. */
  succeed(result: Result): void {
    this.#settled.resolve(result);
  }

  /** It is not, or may not be. */
  fail(error: unknown): void {
    this.#settled.reject(error);
  }
}
