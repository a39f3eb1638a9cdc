/**
 * The interface of drivers. A driver opens one kind of database; statements, plans, dedupe keys and
 * results are made above it.
 */
import type { Clock } from "../../base/clock.ts";
import type { Cancellable, Logger } from "../../contract/connector.ts";
import type { DatabaseOptions } from "./options.ts";

/** One kind of database. */
export interface Driver {
  /** Why several workers of a service cannot share a database; undefined where they can. */
  unshared?(options: DatabaseOptions): string | undefined;
  /** Loads the driver's module, and its client library with it. */
  load(): Promise<DriverModule>;
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
   * Looks at a database without changing it, and returns what it found, in a few words.
   *
   * @throws {ConnectorError} There is none, or it refuses the connection.
   */
  probeDatabase(context: DriverContext): Promise<string>;
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
   * Transactions of one tick may share a commit; one that fails takes no other with it.
   */
  transaction<T>(transaction: Transaction<T>): Promise<T>;
  /**
   * Runs `work` in a transaction: all statements that it runs take effect, or none. Nothing else
   * changes what they see. Settles once the commit is durable, or all of it is undone: where `work`
   * fails, with its error; where the commit fails, with what `error` makes of the cause. `work` is
   * called again where the database must repeat the transaction. Cancelling undoes all of it.
   */
  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T>;
  /** What an error of this database means. */
  explain(error: unknown): Explanation;
  /** Finishes the transactions that have begun, cancels the reads and closes the database. */
  close(): Promise<void>;
}

/** How the SQL of one kind of database is written. */
export interface Dialect {
  /** Quotes a name, whatever is in it. */
  quoteName(name: string): string;
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
  /** The key of the latest row that was inserted, where the database makes such keys. */
  readonly last_insert_id: number | string;
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
  /** A name that the database does not know. */
  readonly unknown?: { readonly kind: "table" | "column"; readonly name: string } | undefined;
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

  /** Names the file. */
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`migration "${file}" ${reason}`, options);
  }
}
