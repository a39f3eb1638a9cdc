/**
 * The interface of drivers. A driver opens one kind of database; statements, plans, dedupe keys and
 * results are made above it.
 */
import type { Clock } from "../../base/clock.ts";
import type { Cancellable, Logger, Played } from "../../contract/connector.ts";
import type { Measures } from "../../contract/metrics.ts";
import type { TextRange } from "../../contract/probe.ts";
import type { ChangesModule } from "./changes/feed.ts";
import type { DatabaseOptions } from "./options.ts";
import type { TableWrite } from "./table-write.ts";

/** How SQL is read: its quotes, comments and operators. */
export type Syntax = "sqlite" | "postgres" | "mysql";

/** One kind of database. */
export interface Driver {
  /** Its name as people write it, such as `PostgreSQL`. */
  readonly title: string;
  /** How the text of its queries and migrations is read. */
  readonly syntax: Syntax;
  /** The attributes of a `connector` block that it takes, beside those of every database. */
  readonly attributes: readonly string[];
  /** The schemes of its `url`, such as `mysql`, the usual one first; undefined where it takes none. */
  readonly schemes?: readonly string[];
  /** Why several workers of a service cannot share a database; undefined where they can. */
  unshared?(options: DatabaseOptions): string | undefined;
  /** Loads the driver's module, and its client library with it. */
  load(): Promise<DriverModule>;
  /** Loads what reads the changes of its tables. Absent where they cannot start flows. */
  loadChanges?(): Promise<ChangesModule>;
}

/** What the `mod.ts` of a driver exports. */
export interface DriverModule {
  /**
   * Opens a database and applies the migrations that it has not had, in their order.
   *
   * @throws {ConnectorError} It cannot be opened, or refuses a migration; permanent where another
   * attempt cannot succeed.
   */
  openDatabase(context: DriverContext): Promise<Database>;
  /**
   * Looks at a database without changing it, has `inspect` look at the statements of the
   * configuration, and returns what was found, in a few words: `describeFound` makes them.
   *
   * @throws {ConnectorError} There is none, or it refuses the connection.
   */
  probeDatabase(context: DriverContext, inspect: Inspect): Promise<string>;
  /** Loads what reads the changes of a database that this one plays in a test. */
  loadPlayedChanges?(): Promise<ChangesModule>;
}

/** Compiles statements in a database. Rejects with an error of `compile` that is not a refusal. */
export type Inspect = (database: Inspected) => Promise<Inspection>;

/** A database that `probeDatabase` has found. */
export interface Inspected extends Pick<Database, "dialect" | "explain"> {
  /** The names of its tables and views, without the database's own; the columns of a table. */
  describe(table?: string): readonly string[] | Promise<readonly string[]>;
  /**
   * Compiles a statement as `Database.prepare` and a first run would, and does not run it.
   *
   * @throws {Error} The database refuses it; `explain` says why.
   */
  compile(sql: string, options: StatementOptions): void | Promise<void>;
  /** Whether that error says that something does not exist, which a pending migration may make. */
  lacks(error: unknown): boolean;
  /** The number of migrations that it has not had. */
  readonly pending: number;
  /** What it can tell beside that. Undefined where it tells nothing more. */
  readonly details?: Details | undefined;
}

/** What a database in this process can tell of its tables and its errors. */
export interface Details {
  /** Whether another database plays this one, so that not all that it refuses is wrong. */
  readonly isPlayed: boolean;
  /** The columns that cannot be null, as far as a row names them. */
  notNull(table: string): readonly string[];
  /** Those of them for which an INSERT must have a value. */
  required(table: string): readonly string[];
  /** Why a column takes no such value, whatever else is in the row; undefined where it may. */
  refusal(table: string, column: string, value: unknown): Refusal | undefined;
  /** The part of the text of a query that an error of `compile` is about. */
  place(query: string, error: unknown): TextRange | undefined;
}

/** Why a column takes no such value. */
export interface Refusal {
  /** Completes "its value is 1, which". */
  readonly reason: string;
  /** What to write instead. */
  readonly hint?: string;
}

/** What `Inspect` found. */
export interface Inspection {
  /** The number of statements that the database takes. */
  readonly prepared: number;
  /** The number of those that cannot be prepared before the pending migrations have been applied. */
  readonly waiting: number;
}

/** What a database is opened with. */
export interface DriverContext {
  /** The connector's name, for errors. */
  readonly name: string;
  readonly options: DatabaseOptions;
  readonly migrations: readonly Migration[];
  readonly logger: Logger;
  /** The time of SQL in a test; undefined for that of the machine. */
  readonly clock?: Clock | undefined;
  /** Takes note of what plays another driver's database in a test. Absent elsewhere. */
  readonly played?: ((played: Played) => void) | undefined;
}

/** An open database. */
export interface Database {
  /** How its SQL is written. */
  readonly dialect: Dialect;
  /** Why it cannot be used at the moment; undefined when it can. */
  health(): string | undefined;
  /** The names of its tables and views, without the database's own. */
  describe(): readonly string[] | Promise<readonly string[]>;
  /** The columns of a table; none if the table does not exist. */
  describe(table: string): readonly string[] | Promise<readonly string[]>;
  /**
   * Prepares a statement, to be run any number of times.
   *
   * @throws {Error} The database refuses it. One that prepares later may refuse it when it is run.
   */
  prepare(sql: string, options: StatementOptions): Statement;
  /** Reads. Returns no promise where it is quick. */
  query(statement: Statement, values: readonly unknown[]): Result | Cancellable<Result>;
  /**
   * Runs statements, all of them or none. Settles once the commit is durable or has failed.
   * Transactions of one tick may share a commit; one that fails takes no other with it. The promise
   * may be `Cancellable`.
   */
  transaction<T>(transaction: Transaction<T>): Promise<T>;
  /**
   * Runs `work` in a transaction: all statements that it runs take effect, or none. Whether they see
   * what others commit meanwhile, the isolation level of the database says; in SQLite nobody can commit
   * meanwhile. Settles once the commit is durable, or all of it is undone: where `work` fails, with its
   * error; where the commit fails, with what `error` makes of the cause. `work` is called again where
   * the database must repeat the transaction. Cancelling undoes all of it.
   */
  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T>;
  /** What an error of this database means. */
  explain(error: unknown): Explanation;
  /** What it measures. Absent where that is nothing. */
  measures?(): Measures;
  /** Finishes the transactions that have begun, cancels the reads and closes the database. */
  close(): Promise<void>;
}

/** How the SQL of one kind of database is written. */
export interface Dialect {
  /** Quotes a name, whatever is in it. */
  quoteName(name: string): string;
  /** Quotes the target of a write: a table's name, after that of its schema where there are schemas. */
  quoteTable(target: string): string;
  /** How it reads SQL; the same as its `Driver` says. */
  readonly syntax: Syntax;
  /** The placeholder of the nth value, from 1. One value may have several placeholders. */
  placeholder(position: number): string;
  /** The row of an INSERT that has no columns. */
  readonly defaultRow: string;
  /** The end of an INSERT that sets these columns where a row with the same keys exists. */
  upsert(keys: readonly string[], set: readonly string[]): string;
  /** The end of a write that returns the rows as they are stored. */
  readonly returning: string;
  /** The type of a text column that is part of a key. */
  readonly keyType: string;
  /** The type of a text column without a limit. */
  readonly longTextType: string;
  /** Whether CREATE TABLE makes the indexes, since no statement makes one only where it is missing. */
  readonly indexInTable: boolean;
  /**
   * Converts a value to what the client library takes.
   *
   * @throws {TypeError} It cannot be stored unchanged. The message completes a sentence that begins
   * with the value's name.
   */
  bind(value: unknown): unknown;
}

/** What is known of a statement before it runs. */
export interface StatementOptions {
  /** Which of its rows are needed. */
  readonly rows: "none" | "first" | "all";
  /** Whether it may run beside the transactions, on another connection. */
  readonly background: boolean;
  /** The columns or parameters whose values it takes, in the order of the placeholders. */
  readonly names: readonly string[];
  /** The write to a table that it was made of; undefined for a query. */
  readonly write?: TableWrite | undefined;
}

/** A statement that `prepare` has returned. Only its driver knows what is in it. */
export type Statement = object;

/** A row as JSON can hold it: integers beyond 2^53 as text, bytes as Base64 text. */
export type Row = Readonly<Record<string, unknown>>;

/** What a statement returns: its rows, or what it changed where it has none. */
export type Result = readonly Row[] | Changes;

/** What a statement without rows did. */
export interface Changes {
  /** The number of rows that it changed. */
  readonly changes: number | string;
  /** The key of the latest row that was inserted; null where the database does not tell. */
  readonly last_insert_id: number | string | null;
}

/** Statements that belong together. */
export interface Transaction<T> {
  readonly steps: readonly Step[];
  /** Makes the result of the results of all steps. */
  result(results: readonly Result[]): T;
  /** Makes the error that the promise rejects with. */
  error(cause: unknown): Error;
}

/** An open transaction. */
export interface Session {
  /** Runs a statement, which sees those before it. Returns no promise where it is quick. */
  run(statement: Statement, values: readonly unknown[]): Result | PromiseLike<Result>;
}

/** One statement of a transaction. */
export interface Step {
  readonly statement: Statement;
  readonly values: readonly unknown[];
}

/** What an error means. */
export interface Explanation {
  /** For the log and the error: at most 300 characters. */
  readonly reason: string;
  /** False where another attempt may succeed. */
  readonly permanent: boolean;
  /** The code of the `ConnectorError`, if it has one of its own. */
  readonly code?: "needs-mock" | undefined;
  /** A name that the database does not know. */
  readonly unknown?: UnknownName | undefined;
}

/** A name that the database does not know. */
export interface UnknownName {
  readonly kind: "table" | "column";
  readonly name: string;
  /** What is in front of the column: the name of a table, or what a query calls it. */
  readonly qualifier?: string | undefined;
  /**
   * The names that it knows, where the driver has looked. Without them `describe` is asked, which
   * helps only where it answers at once.
   */
  readonly known?: readonly string[] | undefined;
}

/** The table that records the migrations that were applied. */
export const MIGRATIONS_TABLE = "_weir_migrations";

/** An SQL file that is applied once. */
export interface Migration {
  /** The name of the file. */
  readonly name: string;
  /** Its text. */
  readonly sql: string;
  /** SHA-256 of the text with `\n` as line breaks, in hexadecimal digits. */
  readonly checksum: string;
}

/** A migration that cannot be applied; `cause` is the database's error where it has one. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
  /** The name of the file. */
  readonly file: string;
  /** Why, a sentence without the file. */
  readonly reason: string;

  /** Names the file. */
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`migration "${file}" ${reason}`, options);
    this.file = file;
    this.reason = reason;
  }
}
