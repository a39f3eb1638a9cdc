/** An open database of MySQL or MariaDB. */
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
import { type BatchedWrite, type BatchOutcome, GroupCommit } from "../../group-commit.ts";
import { CancelledError } from "../../pending-write.ts";
import { Turns } from "../../turns.ts";
import { commitBatch } from "./batch.ts";
import { Cancellation } from "./cancellation.ts";
import type { Connection } from "./connection.ts";
import { Connections, rowsOf } from "./connections.ts";
import { dialect } from "./dialect.ts";
import { errnoOf, explain, isConflict, withKnownNames } from "./errors.ts";
import { execute } from "./execute.ts";
import { openingOf } from "./opening.ts";
import { pauseBefore, REPETITIONS } from "./repetition.ts";
import { runTransaction, type SessionOutcome } from "./session.ts";
import { type ConnectionSettings, serverName } from "./settings.ts";
import { Call, MysqlStatement } from "./statement.ts";
import { type Ask, Tables } from "./tables.ts";

/** The most writes of a batch. */
const LARGEST_BATCH = 1000;
/** The most batches at the same time: what waits for a lock leaves connections for reads. */
const MOST_LANES = 4;
/** How many milliseconds the writes that have begun have when the database is closed. */
const CLOSING = 5000;

/** What changes how a database behaves in a test. */
export interface DatabaseTraits {
  /** Whether the server returns the rows of an INSERT, as MariaDB does. */
  readonly returning?: boolean;
}

/** An open database. */
export class MysqlDatabase implements Database {
  readonly dialect: Dialect = dialect;
  readonly #connections: Connections;
  readonly #tables: Tables;
  readonly #writes: GroupCommit;
  readonly #returning: boolean;
  readonly #reading = new Set<Cancellation>();
  /** The transactions that have begun. */
  readonly #transacting = new Set<Promise<unknown>>();
  /** Of the transactions that are repeated. */
  readonly #turns = new Turns();
  #closed = false;

  /** `connection` is open, and becomes the one that watches the server. */
  constructor(
    { options: { pool }, logger }: DriverContext,
    settings: ConnectionSettings,
    connection: Connection,
    { returning = connection.server.mariadb }: DatabaseTraits = {},
  ) {
    this.#returning = returning;
    const [name, opening] = [serverName(settings), openingOf(settings)];
    this.#connections = new Connections(name, connection, opening, pool, logger);
    this.#tables = new Tables((sql) => this.#connections.read(sql), connection.server);
    this.#writes = new GroupCommit({
      execute: (batch, signal, begun) => this.#commit(batch, signal, begun),
      mayRepeat: isConflict,
      lanes: Math.min(MOST_LANES, Math.max(1, this.#connections.max - 1)),
      largest: LARGEST_BATCH,
    });
  }

  health(): string | undefined {
    return this.#connections.problem;
  }

  measures(): Measures {
    return {
      numbers: this.#connections.numbers,
      histograms: { commits: this.#writes.sizes },
    };
  }

  async describe(table?: string): Promise<readonly string[]> {
    if (table === undefined) return await this.#tables.names();
    return [...(await this.#tables.read(table))?.columns.keys() ?? []];
  }

  prepare(sql: string, options: StatementOptions): Statement {
    return new MysqlStatement(sql, options);
  }

  query(statement: Statement, values: readonly unknown[]): Cancellable<Result> {
    const cancellation = new Cancellation();
    const ended = this.#read(statement, values, cancellation);
    return Object.assign(ended, cancellation.handles);
  }

  transaction<T>(transaction: Transaction<T>): Promise<T> {
    const { steps } = transaction;
    if (steps.length === 1) return this.#writeOne(transaction, steps[0]);
    const work = async (session: Session) => {
      const results: Result[] = [];
      for (const { statement, values } of steps) results.push(await session.run(statement, values));
      return transaction.result(results);
    };
    return this.#transact(work, (cause) => transaction.error(cause), false);
  }

  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T> {
    return this.#transact(work, error, true);
  }

  explain(error: unknown): Explanation {
    return explain(error);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const reading of this.#reading) reading.cancel();
    const ended = Promise.allSettled([this.#writes.close(CLOSING), ...this.#transacting]);
    await withTimeout(ended, CLOSING, () => {});
    await this.#connections.close();
  }

  async #read(
    statement: Statement,
    values: readonly unknown[],
    cancellation: Cancellation,
  ): Promise<Result> {
    this.#reading.add(cancellation);
    try {
      const call = this.#callNow(statement, values) ?? await this.#call(statement, values);
      return await this.#connections.use(
        cancellation,
        (connection) => cancellation.activity.during(execute(connection, call, this.#returning)),
      );
    } catch (cause) {
      throw await this.#withNames(cause);
    } finally {
      this.#reading.delete(cancellation);
    }
  }

  #writeOne<T>(transaction: Transaction<T>, { statement, values }: Step): Promise<T> {
    let pending: Cancellable<Result> | undefined;
    let cancelled = false;
    const push = (call: Call) => {
      if (cancelled) throw new CancelledError("was cancelled");
      return pending = this.#writes.push({ statement: call, values });
    };
    const begin = (): Cancellable<Result> | Promise<Result> => {
      try {
        const call = this.#callNow(statement, values);
        return call === undefined ? this.#call(statement, values).then(push) : push(call);
      } catch (cause) {
        return Promise.reject(cause);
      }
    };
    const ended = begin().then((result) => transaction.result([result]), async (cause) => {
      this.#forgetTable(statement, cause);
      throw transaction.error(await this.#withNames(cause));
    }) as Promise<T>;
    return Object.assign(ended, {
      cancel() {
        cancelled = true;
        pending?.cancel();
      },
      doing: () => pending?.doing?.(),
    });
  }

  async #commit(
    batch: readonly BatchedWrite[],
    signal: AbortSignal,
    report: () => void,
  ): Promise<BatchOutcome> {
    const calls = batch.map(({ statement }) => statement as Call);
    let begun = false;
    const cancellation = new Cancellation();
    signal.addEventListener("abort", () => cancellation.cancel(), { once: true });
    try {
      return await this.#connections.useUntilAnswered(cancellation, (connection) => {
        begun = true;
        report();
        return commitBatch(connection, calls, this.#returning);
      });
    } catch (failed) {
      return { failed, written: begun ? "unknown" : "no" };
    }
  }

  #transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
    keepThrown: boolean,
  ): Promise<T> & Cancellable<T> {
    const cancellation = new Cancellation();
    const ended = this.#repeat(work, error, keepThrown, cancellation)
      .finally(() => this.#transacting.delete(ended));
    this.#transacting.add(ended);
    return Object.assign(ended, cancellation.handles);
  }

  async #repeat<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
    keepThrown: boolean,
    cancellation: Cancellation,
  ): Promise<T> {
    for (let repetition = 0;; repetition++) {
      const outcome = await this.#attempt(work, cancellation, repetition > 0).catch((cause) => {
        throw error(cause);
      });
      if ("result" in outcome) return outcome.result;
      const last = cancellation.reason !== undefined || repetition === REPETITIONS;
      if (last || !isConflict(outcome.cause)) {
        throw outcome.thrown && keepThrown ? outcome.error : error(outcome.error);
      }
      await pauseBefore(repetition + 1);
    }
  }

  async #attempt<T>(
    work: (session: Session) => T | PromiseLike<T>,
    cancellation: Cancellation,
    again: boolean,
  ): Promise<SessionOutcome<T>> {
    // Those that are repeated run one after the other: they would lock each other again.
    const leave = again ? await this.#takeTurn(cancellation) : undefined;
    return await this.#connections.use(cancellation, async (connection) => {
      const ask = async (sql: string) => rowsOf(await connection.run(sql));
      const run = async (statement: Statement, values: readonly unknown[]) => {
        try {
          const call = await this.#call(statement, values, ask);
          const executing = execute(connection, call, this.#returning);
          return await cancellation.activity.during(executing);
        } catch (cause) {
          throw await this.#withNames(cause);
        }
      };
      return await runTransaction(connection, run, work, cancellation.cancelled);
    }).finally(leave);
  }

  /** Returns what ends the turn. */
  async #takeTurn(cancellation: Cancellation): Promise<() => void> {
    const controller = new AbortController();
    cancellation.act = () => controller.abort();
    return await this.#turns.take(controller.signal);
  }

  /** The call of a statement; undefined where its table is to be read first. */
  #callNow(statement: Statement, values: readonly unknown[]): Call | undefined {
    const prepared = statement as MysqlStatement;
    if (prepared.write === undefined) return new Call(prepared, values, undefined);
    const table = this.#tables.known(prepared.write.table);
    return table === undefined ? undefined : new Call(prepared, values, table);
  }

  async #call(statement: Statement, values: readonly unknown[], ask?: Ask): Promise<Call> {
    const known = this.#callNow(statement, values);
    if (known !== undefined) return known;
    const prepared = statement as MysqlStatement;
    return new Call(prepared, values, await this.#tables.load(prepared.write?.table ?? "", ask));
  }

  /** What was refused may be of a table that has changed. */
  #forgetTable(statement: Statement, cause: unknown): void {
    const { write } = statement as MysqlStatement;
    if (write !== undefined && errnoOf(cause) !== undefined) this.#tables.forget(write.table);
  }

  /** An unknown name is shown with the nearest one that is known. */
  #withNames(error: unknown): Promise<unknown> {
    return withKnownNames(
      error,
      (kind) => kind === "table" ? this.#tables.names() : this.#tables.columnNames(),
    );
  }
}
