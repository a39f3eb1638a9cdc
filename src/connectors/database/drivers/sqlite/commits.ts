/** Transactions: writes that arrive in one tick share one commit. */
import { setImmediate, setTimeout } from "node:timers";
import type { Histogram } from "../../../../base/histogram.ts";
import { isPromiseLike } from "../../../../base/promise-like.ts";
import type { Cancellable } from "../../../../contract/connector.ts";
import { commitSizes } from "../../commit-sizes.ts";
import { CancelledError, resultCode, SQLITE } from "./errors.ts";

/** What is needed of a database. */
export interface TransactionalDatabase {
  /** True between BEGIN and the end of its transaction. */
  readonly isTransaction: boolean;
  /** Compiles a statement that takes no values and returns no rows. */
  prepare(sql: string): Command;
}

/** `get` runs it, and is faster than `run`, which also asks what was changed. */
interface Command {
  get(): unknown;
}

/** How many statements one commit takes, so that others get the event loop in between. */
const LARGEST_COMMIT = 1000;
/** Milliseconds between two tries at a locked database. */
const LOCK_DELAY = 5;

interface Write {
  readonly work: () => unknown;
  /** Whether all that it ran is undone where it fails. */
  readonly atomic: boolean;
  readonly arrived: number;
  readonly promise: Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly describe: (error: unknown) => unknown;
  outcome: { readonly result: unknown } | { readonly error: unknown } | undefined;
  cancelled: boolean;
  /** Ends the waiting for its work. */
  interrupt: ((error: Error) => void) | undefined;
}

/** Yields each promise that it waits for, and receives its value. */
type Steps<T> = Generator<PromiseLike<unknown>, T, unknown>;

/** Runs writes in transactions of many. A write that fails takes no other with it. */
export class CommitQueue {
  /** Its commits by the number of writes. */
  readonly sizes: Histogram = commitSizes();
  readonly #database: TransactionalDatabase;
  readonly #begin: Command;
  readonly #commit: Command;
  readonly #rollback: Command;
  readonly #save: Command;
  readonly #release: Command;
  readonly #undo: Command;
  readonly #patience: number;
  readonly #confirm: () => void;
  #waiting: Write[] = [];
  #scheduled = false;
  /** How many statements the current transaction has run. */
  #statements = 0;
  /** Whether a transaction of `transact` has failed since the last flush began. */
  #failed = false;
  /** Whether each has a savepoint from now on, which is only worth its cost where one fails. */
  #saves = false;
  /** Present while a transaction stays open from one turn of the event loop to another. */
  #open: PromiseWithResolvers<void> | undefined;

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
    this.#save = database.prepare("SAVEPOINT weir");
    this.#release = database.prepare("RELEASE weir");
    this.#undo = database.prepare("ROLLBACK TO weir");
  }

  /** Resolves when the transaction has ended that stays open between turns; undefined without one. */
  get open(): Promise<void> | undefined {
    return this.#open?.promise;
  }

  /**
   * Runs `work`, one statement, with the others of this tick. Settles once its commit is durable or
   * has failed, with what `describe` makes of the error.
   */
  push<T>(work: () => T, describe: (error: unknown) => unknown = (error) => error): Promise<T> {
    return this.#add(work, describe, false).promise as Promise<T>;
  }

  /**
   * The same for work that runs any number of statements, and calls `count` for each: all of them are
   * undone where it fails or is cancelled. The transaction stays open for as long as a promise that
   * it returns; no other write runs meanwhile. It may be called again, after all that it did was
   * undone.
   */
  transact<T>(
    work: () => T | PromiseLike<T>,
    describe: (error: unknown) => unknown = (error) => error,
  ): Promise<T> & Cancellable<T> {
    const write = this.#add(work, describe, true);
    return Object.assign(write.promise as Promise<T>, { cancel: () => this.#cancel(write) });
  }

  /** Counts a statement of `transact`. */
  count(): void {
    this.#statements++;
  }

  /** Settles once nothing waits. */
  async drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#open !== undefined) {
      await Promise.allSettled([...this.#waiting.map(({ promise }) => promise), this.open]);
    }
  }

  #add(work: () => unknown, describe: Write["describe"], atomic: boolean): Write {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const write: Write = {
      work,
      atomic,
      arrived: performance.now(),
      promise,
      resolve,
      reject,
      describe,
      outcome: undefined,
      cancelled: false,
      interrupt: undefined,
    };
    this.#waiting.push(write);
    this.#schedule();
    return write;
  }

  #cancel(write: Write): void {
    write.cancelled = true;
    const position = this.#waiting.indexOf(write);
    if (position !== -1) this.#waiting.splice(position, 1);
    const error = new CancelledError("was cancelled");
    fail(write, error);
    write.interrupt?.(error);
  }

  #schedule(delay = 0): void {
    if (this.#scheduled || this.#waiting.length === 0) return;
    this.#scheduled = true;
    // After the messages that are being read now, so that all their writes share the commit.
    if (delay === 0) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), delay);
  }

  #flush(): void {
    const steps = this.#commitWaiting();
    this.#resume(steps, () => steps.next());
  }

  #resume(steps: Steps<number>, act: () => IteratorResult<PromiseLike<unknown>, number>): void {
    const { done, value } = act();
    if (!done) {
      this.#open ??= Promise.withResolvers<void>();
      value.then(
        (result) => this.#resume(steps, () => steps.next(result)),
        (error) => this.#resume(steps, () => steps.throw(error)),
      );
      return;
    }
    this.#scheduled = false;
    const open = this.#open;
    this.#open = undefined;
    open?.resolve();
    this.#schedule(value);
  }

  /** Returns after how many milliseconds the next commit may be tried. */
  *#commitWaiting(): Steps<number> {
    this.#saves = this.#failed;
    this.#failed = false;
    const batches = [this.#waiting.splice(0, LARGEST_COMMIT)];
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      try {
        batches.unshift(...yield* this.#attempt(batch));
      } catch (error) {
        if (this.#database.isTransaction) this.#rollback.get();
        if (resultCode(error) === SQLITE.BUSY) {
          this.#waiting = [batch, ...batches, this.#waiting].flat();
          this.#giveUp(error);
          return LOCK_DELAY;
        }
        for (const write of batch) fail(write, error);
      }
    }
    return 0;
  }

  /** Commits a batch, or returns the parts that must be tried apart. */
  *#attempt(batch: Write[]): Steps<readonly Write[][]> {
    this.#begin.get();
    this.#statements = 0;
    for (let index = 0; index < batch.length; index++) {
      const write = batch[index];
      if (write.cancelled) continue;
      const saved = this.#saves && write.atomic && batch.length > 1;
      try {
        if (saved) this.#save.get();
        let result = write.work();
        if (write.atomic && isPromiseLike(result)) {
          // What has taken long is not to be repeated where a later one fails.
          this.#saves = true;
          result = yield untilInterrupted(write, result);
        }
        if (saved) this.#release.get();
        write.outcome = { result };
      } catch (error) {
        write.outcome = { error };
        if (write.atomic) {
          this.#failed = this.#saves = true;
          this.#undoOne(saved);
        }
        // Those before are undone, too: without a savepoint, by a full disk or by ON CONFLICT ROLLBACK.
        if (!this.#database.isTransaction) {
          fail(write, error);
          return parts(batch, index, index + 1);
        }
      }
      if (this.#statements >= LARGEST_COMMIT) this.#waiting.unshift(...batch.splice(index + 1));
    }
    // One may have been cancelled while another one waited.
    if (batch.some(({ cancelled, outcome }) => cancelled && outcome && "result" in outcome)) {
      this.#rollback.get();
      return [batch.filter(({ cancelled }) => !cancelled)];
    }
    try {
      this.#commit.get();
    } catch (error) {
      if (batch.length === 1 || resultCode(error) !== SQLITE.CONSTRAINT) throw error;
      // A deferred constraint fails the commit without telling whose it was.
      this.#rollback.get();
      const middle = batch.length >> 1;
      return parts(batch, middle, middle);
    }
    this.#confirm();
    this.sizes.add(batch.filter(({ outcome }) => outcome && "result" in outcome).length);
    for (const write of batch) settle(write);
    return [];
  }

  /** Undoes all statements of one write, and those before it where there is no savepoint. */
  #undoOne(saved: boolean): void {
    // The error may have undone the whole transaction.
    if (!this.#database.isTransaction) return;
    if (!saved) this.#rollback.get();
    else {
      this.#undo.get();
      this.#release.get();
    }
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

function untilInterrupted(write: Write, work: PromiseLike<unknown>): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>();
  write.interrupt = reject;
  return Promise.race([work, promise]);
}
