/** A prepared statement of SQLite. */
import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Result, StatementOptions } from "../../driver.ts";
import { toInteger, toRow } from "./values.ts";

const NO_ROWS: Result = [];

/** A prepared statement. */
export class SqliteStatement {
  /** Its text. */
  readonly sql: string;
  /** Which of its rows are needed. */
  readonly rows: StatementOptions["rows"];
  /** Whether it runs on another connection, where there is one. */
  readonly elsewhere: boolean;
  readonly #statement: StatementSync;
  readonly #hasRows: boolean;

  /** `hasRows` says whether it can return rows. */
  constructor(
    sql: string,
    statement: StatementSync,
    rows: StatementOptions["rows"],
    hasRows: boolean,
    elsewhere: boolean,
  ) {
    this.sql = sql;
    this.#statement = statement;
    this.rows = rows;
    this.#hasRows = hasRows;
    this.elsewhere = elsewhere;
  }

  /** Runs it on its own connection. */
  run(values: readonly SQLInputValue[]): Result {
    if (this.rows === "none") {
      this.#statement.run(...values);
      return NO_ROWS;
    }
    if (!this.#hasRows) {
      const { changes, lastInsertRowid } = this.#statement.run(...values);
      return { changes: toInteger(changes), last_insert_id: toInteger(lastInsertRowid) };
    }
    if (this.rows === "all") return this.#statement.all(...values).map(toRow);
    const row = this.#statement.get(...values);
    return row === undefined ? [] : [toRow(row)];
  }
}
