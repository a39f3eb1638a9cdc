/** An open SQLite database. */
import { resolve } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Cancellable, Logger } from "../../../../contract/connector.ts";
import type { Measures } from "../../../../contract/metrics.ts";
import {
  type Database,
  type Dialect,
  type DriverContext,
  type Explanation,
  MigrationError,
  type Result,
  type Session,
  type Statement,
  type StatementOptions,
  type Step,
  type Transaction,
} from "../../driver.ts";
import { migrationFailure } from "../../migrations.ts";
import { standardDialect } from "../../statements.ts";
import { CommitQueue } from "./commits.ts";
import { CannotStartError, explain, LostFileError } from "./errors.ts";
import { DatabaseFiles } from "./files.ts";
import { migrate } from "./migrations.ts";
import { Names } from "./names.ts";
import { configure, openError, openFile, pathOf } from "./opening.ts";
import { mayTakeLong } from "./programs.ts";
import { Readers } from "./readers.ts";
import { SqliteSession } from "./session.ts";
import { SimulatedTime } from "./simulated-time.ts";
import { NamedRows, namesAreLate, SchemaVersion } from "./named-rows.ts";
import { type RunnableStatement, SqliteStatement } from "./statement.ts";
import { toSql } from "./values.ts";

/** How many milliseconds a write waits for the lock of another process. */
const PATIENCE = 5000;
/** Milliseconds between two looks at whether the files still exist. */
const LOOK = 1000;

/** How its SQL is written. */
export const dialect: Dialect = {
  ...standardDialect,
  syntax: "sqlite",
  placeholder: (position) => `?${position}`,
  bind: toSql,
};

/** An open SQLite database. */
export class SqliteDatabase implements Database {
  readonly dialect: Dialect = dialect;
  readonly #logger: Logger;
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #version: SchemaVersion | undefined;
  readonly #commits: CommitQueue;
  /** Undefined for a database in memory. */
  readonly #files: DatabaseFiles | undefined;
  readonly #looking: ReturnType<typeof setInterval> | undefined;
  /** For reads that may take long; undefined where no other connection could do them. */
  #readers: Readers | undefined;
  /** Undefined where SQL has the machine's time. */
  readonly #time: SimulatedTime | undefined;
  /** What the log says of the files. */
  #reported: string | undefined;

  /**
   * Opens the database and applies its migrations. `opened` is called between the two.
   *
   * @throws {ConnectorError} It cannot be opened or a migration is refused; permanent unless the
   * database is locked or its disk fails at the moment.
   */
  constructor(
    { name, options, migrations, logger, clock }: DriverContext,
    opened?: (database: DatabaseSync) => void,
  ) {
    const { patience = PATIENCE } = options;
    const path = pathOf(options);
    this.#logger = logger;
    this.#database = openFile(name, path);
    const database = this.#database;
    try {
      const { shared, hasLog, readOnly } = configure(database);
      if (readOnly) logger.warn("the file {path} can be read but not written to", { path });
      if (shared) this.#readers = new Readers({ database: resolve(path), patience });
      if (clock !== undefined) this.#time = new SimulatedTime(database, clock);
      opened?.(database);
      // The log of a test is the same in every run, so it has no durations.
      migrate(database, migrations, clock === undefined ? logger : undefined);
      database.prepare("PRAGMA foreign_keys = ON").run();
      this.#names = new Names(database);
      if (namesAreLate) this.#version = new SchemaVersion(database);
      this.#commits = new CommitQueue(database, patience, () => this.#confirm());
      if (path !== ":memory:") {
        this.#files = new DatabaseFiles(path, hasLog);
        this.#looking = setInterval(() => this.#look(), LOOK).unref();
      }
    } catch (cause) {
      database.close();
      if (cause instanceof MigrationError) throw migrationFailure(name, cause);
      throw openError(name, path, cause);
    }
  }

  health(): string | undefined {
    return this.#files?.problem;
  }

  measures(): Measures {
    return { histograms: { commits: this.#commits.sizes } };
  }

  describe(table?: string): readonly string[] {
    return this.#names.describe(table);
  }

  prepare(sql: string, { rows, background }: StatementOptions): Statement {
    const statement = this.#database.prepare(sql);
    // Otherwise an integer beyond 2^53 could be written but not returned.
    statement.setReadBigInts(true);
    const hasRows = rows !== "none" && statement.columns().length > 0;
    const elsewhere = background && hasRows && mayTakeLong(this.#database, sql);
    const named = this.#version !== undefined && hasRows && rows === "all"
      ? new NamedRows(statement, this.#version, background)
      : undefined;
    return new SqliteStatement(sql, statement, rows, hasRows, elsewhere, named);
  }

  query(statement: Statement, values: readonly unknown[]): Result | Cancellable<Result> {
    const prepared = statement as RunnableStatement;
    const bound = values as readonly SQLInputValue[];
    if (prepared.elsewhere && this.#readers !== undefined) {
      return this.#readElsewhere(prepared, bound, this.#readers);
    }
    const { open } = this.#commits;
    // What a transaction has not committed must not be seen.
    if (open !== undefined) return later(open, () => prepared.run(bound));
    return prepared.run(bound);
  }

  transaction<T>(transaction: Transaction<T>): Promise<T> {
    const { steps } = transaction;
    const error = (cause: unknown) => transaction.error(cause);
    const [step] = steps;
    // One statement that fails is undone by itself.
    if (steps.length === 1) {
      return this.#commits.push(() => transaction.result([runStep(step)]), error);
    }
    return this.#commits.transact(() => transaction.result(steps.map(runStep)), error);
  }

  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T> {
    let session: SqliteSession | undefined;
    const run = () => {
      session = new SqliteSession(() => this.#commits.count());
      return session.during(work);
    };
    const describe = (cause: unknown) => cause === session?.failure ? cause : error(cause);
    const ended = this.#commits.transact(run, describe);
    const { cancel } = ended;
    return Object.assign(ended, {
      cancel() {
        session?.end();
        cancel();
      },
    });
  }

  explain(error: unknown): Explanation {
    return explain(error);
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    // SQLite tidies up when its last connection is closed, which must be one that may write.
    await Promise.all([this.#commits.drain(), this.#readers?.close()]);
    this.#database.close();
    this.#time?.close();
  }

  #readElsewhere(
    statement: RunnableStatement,
    values: readonly SQLInputValue[],
    readers: Readers,
  ): Cancellable<Result> {
    const reading = readers.read({ sql: statement.sql, values, first: statement.rows === "first" });
    const ended = reading.catch((error) => {
      if (!(error instanceof CannotStartError)) throw error;
      this.#readHere(error);
      return statement.run(values);
    });
    return Object.assign(ended, { cancel: () => reading.cancel() });
  }

  /** From now on every read runs here, and blocks everything for as long as it takes. */
  #readHere({ message }: CannotStartError): void {
    if (this.#readers === undefined) return;
    this.#readers = undefined;
    this.#logger.warn(
      "slow reads will block the service, since no process can be started for them: {reason}",
      { reason: message },
    );
  }

  /** What was committed to a file that no path leads to is lost, so its writes must fail. */
  #confirm(): void {
    const problem = this.#files?.look();
    if (problem !== undefined) throw new LostFileError(problem);
  }

  #look(): void {
    const problem = this.#files?.look();
    if (problem === this.#reported) return;
    this.#reported = problem;
    if (problem !== undefined) this.#logger.error("{problem}", { problem });
    else this.#logger.info("the files of the database exist again");
  }
}

/** Reads when no transaction is open. */
function later(open: Promise<void>, read: () => Result): Cancellable<Result> {
  // There is nothing to cancel: the read is quick.
  return Object.assign(open.then(read), { cancel: () => {} });
}

function runStep({ statement, values }: Step): Result {
  return (statement as RunnableStatement).run(values as readonly SQLInputValue[]);
}
