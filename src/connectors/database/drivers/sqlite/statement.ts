/** A prepared statement of SQLite. */
import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Result, StatementOptions } from "../../driver.ts";
import type { NamedRows } from "./named-rows.ts";
import { toInteger, toRow } from "./values.ts";

const NO_ROWS: Result = [];

/** What a connection runs. */
export interface RunnableStatement {
  /** Its text. */
  readonly sql: string;
  /** Which of its rows are needed. */
  readonly rows: StatementOptions["rows"];
  /** Whether it runs on another connection, where there is one. */
  readonly elsewhere: boolean;
  /** Runs it on its own connection. */
  run(values: readonly SQLInputValue[]): Result;
}

/** A prepared statement. */
export class SqliteStatement implements RunnableStatement {
  readonly sql: string;
  readonly rows: StatementOptions["rows"];
  readonly elsewhere: boolean;
  readonly #statement: StatementSync;
  readonly #hasRows: boolean;
  readonly #named: NamedRows | undefined;

  /** `hasRows` says whether it can return rows; `named` makes its rows where `namesAreLate`. */
  constructor(
    sql: string,
    statement: StatementSync,
    rows: StatementOptions["rows"],
    hasRows: boolean,
    elsewhere: boolean,
    named: NamedRows | undefined,
  ) {
    this.sql = sql;
    this.#statement = statement;
    this.rows = rows;
    this.#hasRows = hasRows;
    this.elsewhere = elsewhere;
    this.#named = named;
  }

  /** The names of its columns, and the types that their tables declare; null for a computed one. */
  columns(): readonly { readonly name: string; readonly type: string | null }[] {
    return this.#hasRows ? this.#statement.columns() : [];
  }

  run(values: readonly SQLInputValue[]): Result {
    if (this.rows === "none") {
      this.#statement.run(...values);
      return NO_ROWS;
    }
    if (!this.#hasRows) {
      const { changes, lastInsertRowid } = this.#statement.run(...values);
      return { changes: toInteger(changes), last_insert_id: toInteger(lastInsertRowid) };
    }
    if (this.#named !== undefined) return this.#named.all(values);
    if (this.rows === "all") return this.#statement.all(...values).map(toRow);
    const row = this.#statement.get(...values);
    return row === undefined ? [] : [toRow(row)];
  }
}
