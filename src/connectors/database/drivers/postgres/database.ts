/** An open PostgreSQL database. */
import { withTimeout } from "../../../../base/timeout.ts";
import type { Cancellable } from "../../../../contract/connector.ts";
import type { Measures } from "../../../../contract/metrics.ts";
import type {
  Database,
  Dialect,
  DriverContext,
  Explanation,
  Result,
  Session,
  Statement,
  StatementOptions,
  Step,
  Transaction,
} from "../../driver.ts";
import { Activity } from "../../activity.ts";
import { type BatchedWrite, type BatchOutcome, GroupCommit } from "../../group-commit.ts";
import { inSchema, standardDialect } from "../../statements.ts";
import { columnsOf, lookUpNames, tablesOf } from "./catalog.ts";
import { bind } from "./codecs.ts";
import { type Connection, Connections } from "./connections.ts";
import { explain, mayRepeat } from "./errors.ts";
import type { Server } from "./server.ts";
import { runTransaction, WorkError } from "./session.ts";
import { PostgresStatement } from "./statement.ts";
import { Turns } from "../../turns.ts";

/** The most writes of one commit. */
const LARGEST_COMMIT = 1000;
/** The most commits in flight: as many as the pool has connections, but some are left for reads. */
const MOST_LANES = 4;
/** Milliseconds that a statement may take beyond the server's own limit. */
const GRACE = 5000;
/** Milliseconds for a statement without a limit. Its flow gives up long before. */
const LONGEST = 3_600_000;
/** Milliseconds that the writes in flight have when the database is closed. */
const CLOSING = 5000;
/** Milliseconds that what is cancelled has to end. */
const ENDING = 3000;
/** Milliseconds for the names that an error's hint is made of. */
const HINTING = 1000;

/** How its SQL is written. */
export const dialect: Dialect = {
  ...standardDialect,
  syntax: "postgres",
  quoteTable: inSchema(standardDialect.quoteName),
  placeholder: (position) => `$${position}`,
  bind,
};

/** What watches the server. */
interface Watch {
  readonly problem: string | undefined;
  readonly reconnects: number;
  stop(): Promise<void>;
}

/** A database of a server. */
export class PostgresDatabase implements Database {
  readonly dialect: Dialect = dialect;
  /** Its connections. */
  readonly connections: Connections;
  readonly #commits: GroupCommit;
  readonly #timeout: number;
  /** Reads and transactions that run, to be cancelled at the end. */
  readonly #reads = new Set<Promise<unknown> & Cancellable>();
  readonly #transactions = new Set<Promise<unknown> & Cancellable>();
  readonly #turns = new Turns();
  readonly #describing = new Map<string, Promise<readonly string[]>>();
  #watch: Watch | undefined;
  #closed: Promise<void> | undefined;

  /** Opens no connection yet. */
  constructor(server: Server, { options }: DriverContext) {
    this.connections = new Connections(server, options.pool);
    const { statementTimeout } = server;
    this.#timeout = statementTimeout === undefined ? LONGEST : statementTimeout + GRACE;
    this.#commits = new GroupCommit({
      execute: (batch, signal, begun) => this.#execute(batch, signal, begun),
      mayRepeat,
      lanes: Math.max(1, Math.min(MOST_LANES, this.connections.max - 1)),
      largest: LARGEST_COMMIT,
    });
  }

  /** Sets what `health` asks; it is stopped when the database is closed. */
  watch(watch: Watch): void {
    this.#watch = watch;
  }

  health(): string | undefined {
    return this.#watch?.problem;
  }

  measures(): Measures {
    const reconnects = this.#watch?.reconnects ?? 0;
    return {
      numbers: { ...this.connections.numbers, reconnects },
      histograms: { commits: this.#commits.sizes },
    };
  }

  describe(target?: string): Promise<readonly string[]> {
    // Many writes may ask for the same table in the tick in which it is first written.
    const key = target ?? "";
    const known = this.#describing.get(key);
    if (known !== undefined) return known;
    const found = this.connections.look((client) =>
      target === undefined ? tablesOf(client) : columnsOf(client, target)
    ).finally(() => this.#describing.delete(key));
    this.#describing.set(key, found);
    return found;
  }

  prepare(sql: string, options: StatementOptions): Statement {
    return new PostgresStatement(sql, options);
  }

  query(statement: Statement, values: readonly unknown[]): Cancellable<Result> {
    return this.#track(
      this.#reads,
      (signal, activity) => this.#read(statement, values, signal, activity),
    );
  }

  transaction<T>(transaction: Transaction<T>): Promise<T> {
    const { steps } = transaction;
    if (steps.length === 1) return this.#commit(transaction, steps[0]);
    const work = async (session: Session) => {
      const results: Result[] = [];
      for (const step of steps) results.push(await session.run(step.statement, step.values));
      return transaction.result(results);
    };
    const describe = (cause: unknown) => transaction.error(cause);
    return this.#track(
      this.#transactions,
      (signal, activity) => this.#transact(work, describe, signal, describe, activity),
    );
  }

  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T> {
    const passOn = (cause: unknown) => cause;
    return this.#track(
      this.#transactions,
      (signal, activity) => this.#transact(work, error, signal, passOn, activity),
    );
  }

  explain(error: unknown): Explanation {
    return explain(error);
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    for (const read of this.#reads) read.cancel();
    const transacted = Promise.allSettled(this.#transactions);
    await Promise.all([
      this.#commits.close(CLOSING),
      withTimeout(transacted, CLOSING, () => {
        for (const transaction of this.#transactions) transaction.cancel();
      }),
    ]);
    const rest = Promise.allSettled([...this.#reads, ...this.#transactions]);
    await withTimeout(rest, ENDING, () => {});
    await Promise.all([this.connections.close(), this.#watch?.stop()]);
  }

  /** A write that shares its commit with others. */
  #commit<T>(transaction: Transaction<T>, step: Step): Promise<T> & Cancellable<T> {
    const writing = this.#commits.push(step);
    const ended = writing.then(
      (result) => transaction.result([result]),
      (cause) => this.#fail(cause, (cause) => transaction.error(cause)),
    );
    return Object.assign(ended as Promise<T>, {
      cancel: () => writing.cancel(),
      doing: () => writing.doing?.(),
    });
  }

  async #execute(
    batch: readonly BatchedWrite[],
    signal: AbortSignal,
    begun: () => void,
  ): Promise<BatchOutcome> {
    let connection: Connection;
    try {
      connection = await this.connections.acquire(signal);
    } catch (failed) {
      return { failed, written: "no" };
    }
    begun();
    try {
      return await connection.statements.run(batch, { signal, timeout: this.#timeout });
    } finally {
      this.connections.release(connection);
    }
  }

  async #read(
    statement: Statement,
    values: readonly unknown[],
    signal: AbortSignal,
    activity: Activity,
  ): Promise<Result> {
    const options = { signal, timeout: this.#timeout };
    const found = this.connections.acquire(signal);
    const connection = found instanceof Promise ? await found : found;
    try {
      return await activity.during(
        connection.statements.query(statement as PostgresStatement, values, options),
      );
    } catch (cause) {
      return await this.#fail(cause, (cause) => cause);
    } finally {
      this.connections.release(connection);
    }
  }

  /** `failed` makes the error of the work's own, `error` that of the database's. */
  async #transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
    signal: AbortSignal,
    failed: (cause: unknown) => unknown,
    activity: Activity,
  ): Promise<T> {
    try {
      return await runTransaction(work, {
        acquire: async (signal) => await this.connections.acquire(signal),
        turns: this.#turns,
        lookUp: (cause) => this.#lookUp(cause),
        release: (connection) => this.connections.release(connection),
        signal,
        activity,
        timeout: this.#timeout,
      });
    } catch (cause) {
      if (cause instanceof WorkError) throw failed(cause.cause);
      return await this.#fail(cause, error);
    }
  }

  async #fail(cause: unknown, describe: (cause: unknown) => unknown): Promise<never> {
    await this.#lookUp(cause);
    throw describe(cause);
  }

  /** Looks up what a name may mean that the server does not know. */
  async #lookUp(cause: unknown): Promise<void> {
    if (explain(cause).unknown === undefined) return;
    const looking = this.connections.look((client) => lookUpNames(client, cause));
    // The error counts, not its hint.
    await withTimeout(looking.catch(() => {}), HINTING, () => {});
  }

  /** Keeps what runs, until it has ended, so that the end of the database can cancel it. */
  #track<T>(
    running: Set<Promise<unknown> & Cancellable>,
    begin: (signal: AbortSignal, activity: Activity) => Promise<T>,
  ): Promise<T> & Cancellable<T> {
    const controller = new AbortController();
    const activity = new Activity();
    const ended = Object.assign(
      begin(controller.signal, activity).finally(() => running.delete(ended)),
      { cancel: () => controller.abort(), doing: () => activity.describe() },
    );
    running.add(ended);
    return ended;
  }
}
