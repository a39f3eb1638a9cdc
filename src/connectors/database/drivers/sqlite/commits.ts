/** Transactions: writes that arrive in one tick share one commit. */
import { setImmediate, setTimeout } from "node:timers";
import { resultCode, SQLITE } from "./errors.ts";

/** What is needed of a database. */
export interface TransactionalDatabase {
  /** True between BEGIN and the end of its transaction. */
  readonly isTransaction: boolean;
  /** Compiles a statement that takes no values. */
  prepare(sql: string): { run(): unknown };
}

/** How many writes one commit takes at most, so that others get the event loop in between. */
const LARGEST_COMMIT = 1000;
/** Milliseconds between two tries at a locked database. */
const LOCK_DELAY = 5;

interface Write {
  readonly work: () => unknown;
  readonly arrived: number;
  readonly promise: Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly describe: (error: unknown) => unknown;
  outcome: { readonly result: unknown } | { readonly error: unknown } | undefined;
}

/** Runs writes in transactions of many. A write that fails takes no other with it. */
export class CommitQueue {
  readonly #database: TransactionalDatabase;
  readonly #begin: { run(): unknown };
  readonly #commit: { run(): unknown };
  readonly #rollback: { run(): unknown };
  readonly #patience: number;
  readonly #confirm: () => void;
  #waiting: Write[] = [];
  #scheduled = false;

  /**
   * `patience` is how long, in milliseconds, a write waits for another process's lock. `confirm` is
   * called after each commit; where it throws, the writes of that commit have failed.
   */
  constructor(
    database: TransactionalDatabase,
    patience: number,
    confirm: () => void = () => {},
  ) {
    this.#database = database;
    this.#patience = patience;
    this.#confirm = confirm;
    // IMMEDIATE, since a lock that is taken midway cannot be waited for.
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
  }

  /**
   * Runs `work` with the others of this tick. Settles once its commit is durable or has failed, with
   * what `describe` makes of the error.
   */
  push<T>(work: () => T, describe: (error: unknown) => unknown = (error) => error): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const arrived = performance.now();
    this.#waiting.push({ work, arrived, promise, resolve, reject, describe, outcome: undefined });
    this.#schedule();
    return promise as Promise<T>;
  }

  /** Settles once nothing waits. */
  async drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await Promise.allSettled(this.#waiting.map(({ promise }) => promise));
    }
  }

  #schedule(delay = 0): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    // After the messages that are being read now, so that all their writes share the commit.
    if (delay === 0) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), delay);
  }

  #flush(): void {
    this.#scheduled = false;
    const batches = [this.#waiting.splice(0, LARGEST_COMMIT)];
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      try {
        batches.unshift(...this.#attempt(batch));
      } catch (error) {
        if (this.#database.isTransaction) this.#rollback.run();
        if (resultCode(error) === SQLITE.BUSY) {
          this.#waiting = [batch, ...batches, this.#waiting].flat();
          this.#giveUp(error);
          return this.#schedule(LOCK_DELAY);
        }
        for (const write of batch) fail(write, error);
      }
    }
    this.#schedule();
  }

  /** Commits a batch, or returns the parts that must be tried apart. */
  #attempt(batch: readonly Write[]): readonly Write[][] {
    this.#begin.run();
    for (const [index, write] of batch.entries()) {
      try {
        write.outcome = { result: write.work() };
      } catch (error) {
        write.outcome = { error };
        // A full disk or a rule of the schema (ON CONFLICT ROLLBACK) has undone those before, too.
        if (!this.#database.isTransaction) {
          fail(write, error);
          return parts(batch, index, index + 1);
        }
      }
    }
    try {
      this.#commit.run();
    } catch (error) {
      if (batch.length === 1 || resultCode(error) !== SQLITE.CONSTRAINT) throw error;
      // A deferred constraint fails the commit without telling whose it was.
      this.#rollback.run();
      const middle = batch.length >> 1;
      return parts(batch, middle, middle);
    }
    this.#confirm();
    for (const write of batch) settle(write);
    return [];
  }

  /** Fails the writes that have waited for the lock too long. */
  #giveUp(error: unknown): void {
    const now = performance.now();
    const late = this.#waiting.findIndex(({ arrived }) => now - arrived < this.#patience);
    const failed = this.#waiting.splice(0, late === -1 ? this.#waiting.length : late);
    for (const write of failed) fail(write, error);
  }
}

function parts(batch: readonly Write[], end: number, start: number): readonly Write[][] {
  return [batch.slice(0, end), batch.slice(start)].filter((part) => part.length > 0);
}

function settle(write: Write): void {
  const { outcome, resolve } = write;
  if (outcome === undefined) return;
  if ("error" in outcome) fail(write, outcome.error);
  else resolve(outcome.result);
}

function fail({ reject, describe }: Write, error: unknown): void {
  reject(describe(error));
}

/** Undoes several statements of a transaction together. */
export class Savepoints {
  readonly #database: TransactionalDatabase;
  readonly #save: { run(): unknown };
  readonly #release: { run(): unknown };
  readonly #undo: { run(): unknown };

  /** Prepares what it needs. */
  constructor(database: TransactionalDatabase) {
    this.#database = database;
    this.#save = database.prepare("SAVEPOINT weir");
    this.#release = database.prepare("RELEASE weir");
    this.#undo = database.prepare("ROLLBACK TO weir");
  }

  /** Calls `act`; where it throws, the statements that it ran are undone. */
  wrap<T>(act: () => T): T {
    this.#save.run();
    try {
      const result = act();
      this.#release.run();
      return result;
    } catch (error) {
      // The error may have undone the whole transaction.
      if (this.#database.isTransaction) {
        this.#undo.run();
        this.#release.run();
      }
      throw error;
    }
  }
}
