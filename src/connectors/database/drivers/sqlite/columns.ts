/** What the columns of a table need, and what they refuse. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { messageOf } from "../../../../base/shown.ts";
import type { Refusal } from "../../driver.ts";
import { toSql } from "./values.ts";

/** The columns that cannot be null, and whether they have a default. */
export function notNullColumns(
  database: DatabaseSync,
  table: string,
): readonly { readonly name: string; readonly hasDefault: boolean }[] {
  const created = database.prepare("SELECT sql FROM sqlite_schema WHERE name = ?").get(table);
  // NOT NULL ON CONFLICT REPLACE or IGNORE refuses none.
  if (/\bON\s+CONFLICT\b/i.test(String(created?.sql))) return [];
  // A trigger may write a row in the place of the one that lacks a value.
  const triggers = database.prepare(
    "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE",
  ).all(table);
  if (triggers.some(({ sql }) => /\bRAISE\s*\(\s*IGNORE\b/i.test(String(sql)))) return [];
  const columns = database.prepare("SELECT * FROM pragma_table_xinfo(?)").all(table);
  const keys = columns.filter(({ pk }) => pk !== 0);
  return columns.filter((column) => {
    // SQLite makes the value of the one INTEGER PRIMARY KEY.
    const counts = keys.length === 1 && column === keys[0] &&
      /^INTEGER$/i.test(String(column.type));
    return column.notnull === 1 && column.hidden === 0 && !counts;
  }).map(({ name, dflt_value }) => ({ name: String(name), hasDefault: dflt_value !== null }));
}

/** The types of columns in STRICT tables. Other tables take any value. */
export class ColumnTypes {
  readonly #database: DatabaseSync;
  /** Has a table for each type that was asked about. */
  #scratch: DatabaseSync | undefined;

  /** The database must be open. */
  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Why a column takes no such value; undefined where it does. */
  refusal(table: string, column: string, value: unknown): Refusal | undefined {
    let stored: SQLInputValue;
    try {
      stored = toSql(value);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return { reason: error.message.split(", which ", 1)[0] };
    }
    const type = this.#strictType(table, column);
    if (type === undefined || this.#takes(type, stored)) return undefined;
    return { reason: `a column of type ${type} refuses`, hint: HINTS[type] };
  }

  #strictType(table: string, column: string): string | undefined {
    const select = `SELECT c.type AS type FROM pragma_table_list(?) t, pragma_table_xinfo(t.name) c
      WHERE t.strict = 1 AND c.name = ?`;
    const type = this.#database.prepare(select).get(table, column)?.type;
    return typeof type === "string" && /^\w+$/.test(type) ? type.toUpperCase() : undefined;
  }

  /** Asks SQLite itself. */
  #takes(type: string, value: SQLInputValue): boolean {
    const database = this.#scratch ??= new DatabaseSync(":memory:");
    database.exec(`CREATE TABLE IF NOT EXISTS "${type}" (c ${type}) STRICT`);
    try {
      database.prepare(`INSERT INTO "${type}" VALUES (?)`).run(value);
      return true;
    } catch (error) {
      if (/^cannot store /.test(messageOf(error))) return false;
      throw error;
    }
  }
}

/** What the types of STRICT tables take. */
const HINTS: Readonly<Record<string, string>> = {
  INT: "write a whole number",
  INTEGER: "write a whole number",
  REAL: "write a number",
  BLOB: "no expression makes a BLOB: declare the column as TEXT or ANY",
};
