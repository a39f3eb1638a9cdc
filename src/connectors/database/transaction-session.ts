/** What the work of a transaction runs its statements with, for databases on a server. */
import type { Result, Session, Statement } from "./driver.ts";
import { CancelledError } from "./pending-write.ts";

/** Runs a statement in an open transaction. */
export type Execute = (statement: Statement, values: readonly unknown[]) => Promise<Result>;

/** One call of the work of a transaction. */
export class TransactionSession implements Session {
  readonly #execute: Execute;
  #ended = false;
  #refusal: { readonly error: unknown } | undefined;
  /** Statements run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** `execute` runs a statement on the connection of the transaction. */
  constructor(execute: Execute) {
    this.#execute = execute;
  }

  /** Why a statement failed, which undoes the others; undefined where none has. */
  get refusal(): { readonly error: unknown } | undefined {
    return this.#refusal;
  }

  run(statement: Statement, values: readonly unknown[]): Promise<Result> {
    const running = this.#last.then(() => this.#run(statement, values));
    this.#last = running.catch(() => {});
    return running;
  }

  /** From now on no statement is run. Resolves when none runs any more. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#last;
  }

  async #run(statement: Statement, values: readonly unknown[]): Promise<Result> {
    // The connection may be in the transaction of somebody else by now, or in none.
    if (this.#ended) throw new CancelledError("the transaction has ended");
    // After one that was refused none is run: all of them are undone.
    if (this.#refusal !== undefined) throw this.#refusal.error;
    try {
      return await this.#execute(statement, values);
    } catch (error) {
      this.#refusal ??= { error };
      throw error;
    }
  }
}
