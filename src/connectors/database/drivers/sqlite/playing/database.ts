/** SQLite in memory in the place of another database, for tests. */
import type { DatabaseSync } from "node:sqlite";
import type { Cancellable } from "../../../../../contract/connector.ts";
import type {
  Database,
  Dialect,
  Explanation,
  Result,
  Session,
  Statement,
  StatementOptions,
  Transaction,
} from "../../../driver.ts";
import { KEYS_TABLE } from "../../../dedupe-table.ts";
import type { PlayedDriver } from "../../../options.ts";
import type { SqliteDatabase } from "../database.ts";
import { explain, messageAbout } from "../errors.ts";
import type { SqliteStatement } from "../statement.ts";
import { toSql } from "../values.ts";
import type { ChangeLog } from "./change-log.ts";
import { accommodate } from "./accommodations.ts";
import { PlayedStatement } from "./statement.ts";

/** SQLite cannot do what the database does whose place it takes. */
export class NotPlayedError extends Error {
  override readonly name = "NotPlayedError";
}

/** What a played database is made of. */
export interface PlayedDatabaseParts {
  readonly connection: DatabaseSync;
  readonly played: PlayedDriver;
  readonly changes: ChangeLog;
  /** Why nothing is asked of SQLite but what is about Weir's own tables; undefined where all is. */
  readonly refusal: string | undefined;
  /** The names of Weir's own tables. */
  readonly own: readonly string[];
  /** Called at the end. */
  close(): void;
}

/** A database that is played. */
export class PlayedDatabase implements Database {
  readonly dialect: Dialect;
  readonly #inner: SqliteDatabase;
  readonly #connection: DatabaseSync;
  readonly #played: PlayedDriver;
  /** What has changed in its tables. */
  readonly changes: ChangeLog;
  readonly #refusal: string | undefined;
  /** The tables that Weir itself makes, beside those of the migrations. */
  readonly #own: readonly string[];
  readonly #close: () => void;

  /** Takes over an open database. */
  constructor(
    inner: SqliteDatabase,
    { connection, played, changes, refusal, own, close }: PlayedDatabaseParts,
  ) {
    this.#inner = inner;
    this.#connection = connection;
    this.#played = played;
    this.changes = changes;
    this.#refusal = refusal;
    this.#own = own.map((table) => this.#nameOf(table));
    this.#close = close;
    this.dialect = {
      ...inner.dialect,
      syntax: played.syntax,
      quoteTable: (target) => inner.dialect.quoteName(this.#nameOf(target)),
      bind(value) {
        // A value that nothing can store is refused with its name. The statement knows the rest.
        if (typeof value !== "object") toSql(value);
        return value;
      },
    };
  }

  /** What its statements run on. */
  get connection(): DatabaseSync {
    return this.#connection;
  }

  /** Whether every request needs a mock. */
  get isMocked(): boolean {
    return this.#refusal !== undefined;
  }

  health(): string | undefined {
    return this.#inner.health();
  }

  describe(table?: string): readonly string[] {
    const name = table === undefined ? undefined : this.#nameOf(table);
    if (name === undefined || !this.#own.includes(name)) this.#refuse();
    return this.#inner.describe(name);
  }

  prepare(sql: string, options: StatementOptions): Statement {
    // The keys of `dedupe` are in SQLite's own words.
    const isOwn = sql.includes(KEYS_TABLE);
    if (!this.#own.some((table) => sql.includes(this.dialect.quoteName(table)))) this.#refuse();
    const { title, syntax } = this.#played;
    const prepare = (text: string) => {
      const statement = this.#inner.prepare(text, options) as SqliteStatement;
      if (isOwn) return statement;
      const table = options.write && this.#nameOf(options.write.table);
      return new PlayedStatement(statement, options.names, table, syntax, this.#connection);
    };
    if (isOwn || options.write !== undefined) return prepare(sql);
    let text = sql;
    try {
      text = accommodate(sql, syntax);
      return prepare(text);
    } catch (cause) {
      const message = messageAbout(cause, text);
      const reason = `SQLite, which plays ${title} in tests, refuses it: ${message}`;
      throw new NotPlayedError(`${reason}; ${REMEDY}`, { cause });
    }
  }

  query(statement: Statement, values: readonly unknown[]): Result | Cancellable<Result> {
    return this.#inner.query(statement, values);
  }

  transaction<T>(transaction: Transaction<T>): Promise<T> {
    const ended = () => this.changes.ended();
    const running = this.#inner.transaction(transaction);
    running.then(ended, ended);
    return running;
  }

  transact<T>(
    work: (session: Session) => T | PromiseLike<T>,
    error: (cause: unknown) => Error,
  ): Cancellable<T> {
    const ended = () => this.changes.ended();
    const running = this.#inner.transact(work, error);
    running.then(ended, ended);
    return running;
  }

  explain(error: unknown): Explanation {
    if (!(error instanceof NotPlayedError)) return explain(error);
    const { unknown } = error.cause === undefined ? {} : explain(error.cause);
    return { reason: error.message, permanent: true, code: "needs-mock", unknown };
  }

  async close(): Promise<void> {
    await this.#inner.close();
    this.#close();
  }

  /** SQLite has one schema, in which the tables of PostgreSQL's usual one are. */
  #nameOf(target: string): string {
    return this.#played.syntax === "postgres" ? target.replace(/^public\./, "") : target;
  }

  #refuse(): void {
    if (this.#refusal === undefined) return;
    const { title } = this.#played;
    throw new NotPlayedError(`nothing plays ${title}, since ${this.#refusal}; ${REMEDY}`);
  }
}

const REMEDY = "answer it with a mock, or write real = true into the test";
