/** What the work of one transaction runs its statements with. */
import type { SQLInputValue } from "node:sqlite";
import { isPromiseLike } from "../../../../base/promise-like.ts";
import type { Result, Session, Statement } from "../../driver.ts";
import { CancelledError } from "./errors.ts";
import type { RunnableStatement } from "./statement.ts";

/** One call of the work of a transaction. */
export class SqliteSession implements Session {
  readonly #onRun: () => void;
  #ended = false;
  /** Why a statement failed. */
  #refusal: { readonly error: unknown } | undefined;
  #failure: unknown;

  /** `onRun` is called before each statement. */
  constructor(onRun: () => void) {
    this.#onRun = onRun;
  }

  /** What the work threw. */
  get failure(): unknown {
    return this.#failure;
  }

  run(statement: Statement, values: readonly unknown[]): Result {
    // The connection may be in the transaction of somebody else by now, or in none.
    if (this.#ended) throw new CancelledError("the transaction has ended");
    this.#onRun();
    try {
      return (statement as RunnableStatement).run(values as readonly SQLInputValue[]);
    } catch (error) {
      this.#refusal ??= { error };
      this.#ended = true;
      throw error;
    }
  }

  /** From now on no statement is run. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Calls the work. Returns a promise if the work does.
   *
   * @throws {unknown} The work failed, or a statement did and the work went on.
   */
  during<T>(work: (session: Session) => T | PromiseLike<T>): T | Promise<T> {
    let result: T | PromiseLike<T>;
    try {
      result = work(this);
    } catch (error) {
      throw this.#fail(error);
    }
    return isPromiseLike(result)
      ? Promise.resolve(result).then(
        (value) => this.#succeed(value),
        (error) => {
          throw this.#fail(error);
        },
      )
      : this.#succeed(result);
  }

  #succeed<T>(value: T): T {
    this.#ended = true;
    if (this.#refusal !== undefined) throw this.#refusal.error;
    return value;
  }

  #fail(error: unknown): unknown {
    this.#ended = true;
    this.#failure = error;
    return error;
  }
}
