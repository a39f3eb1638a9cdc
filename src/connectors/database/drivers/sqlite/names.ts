/** The names of tables and columns. */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Without the database's own tables. */
const TARGETS = "type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/** Looks up names in a database. */
export class Names {
  readonly #tables: StatementSync;
  readonly #columns: StatementSync;

  /** The database must be open. */
  constructor(database: DatabaseSync) {
    this.#tables = database.prepare(`SELECT name FROM sqlite_schema WHERE ${TARGETS}`);
    this.#columns = database.prepare(
      `SELECT name FROM pragma_table_xinfo(
         (SELECT name FROM sqlite_schema WHERE name = ? AND ${TARGETS}))`,
    );
  }

  /** The names of tables and views; the columns of a table. */
  describe(table?: string): readonly string[] {
    const rows = table === undefined ? this.#tables.all() : this.#columns.all(table);
    return rows.map(({ name }) => String(name));
  }
}
