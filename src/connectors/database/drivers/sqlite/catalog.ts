/** Which tables and columns a database has. */
import { quoted } from "../../../../base/shown.ts";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { didYouMean } from "../../../../base/nearest.ts";
import { KEYS_TABLE } from "./keys.ts";
import { MIGRATIONS_TABLE } from "./migrations.ts";

/** Keeps what it has read; reads again before it says that something is not there. */
export class Catalog {
  readonly #tables: StatementSync;
  readonly #columns: StatementSync;
  readonly #known = new Map<string, ReadonlySet<string>>();

  /** Reads nothing yet. */
  constructor(database: DatabaseSync) {
    // SQLite's tables and those of the connector itself are nobody's target.
    this.#tables = database.prepare(
      `SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' 
         AND name NOT IN ('${MIGRATIONS_TABLE}', '${KEYS_TABLE}')`,
    );
    this.#columns = database.prepare("SELECT name FROM pragma_table_xinfo(?)");
  }

  /**
   * Makes sure that a table has these columns, names compared exactly.
   *
   * @throws {RangeError} It has not; the message names what is missing and what may be meant.
   */
  require(table: string, columns: readonly string[]): void {
    const has = (known: ReadonlySet<string>) => columns.every((column) => known.has(column));
    const kept = this.#known.get(table);
    if (kept !== undefined && has(kept)) return;
    const tables = names(this.#tables.all());
    if (!tables.includes(table)) {
      throw new RangeError(missing(`no table ${quoted(table)}`, table, tables));
    }
    const known = new Set(names(this.#columns.all(table)));
    this.#known.set(table, known);
    const absent = columns.find((column) => !known.has(column));
    if (absent !== undefined) {
      const message = `no column ${quoted(absent)} in table ${quoted(table)}`;
      throw new RangeError(missing(message, absent, known));
    }
  }

  /** What to do about an error of SQLite's, where that can be told. */
  hint(error: unknown): string | undefined {
    const { message } = error instanceof Error ? error : { message: "" };
    if (message.startsWith("ON CONFLICT clause does not match")) {
      return "its key must be the primary key or unique";
    }
    const [, kind, name] = /^no such (table|column): (?:\w+\.)?"?([^\s"]+)/.exec(message) ?? [];
    if (name === undefined) return undefined;
    const tables = names(this.#tables.all());
    const columns = () => tables.flatMap((table) => names(this.#columns.all(table)));
    return didYouMean(name, kind === "table" ? tables : columns());
  }
}

function names(rows: readonly Readonly<Record<string, unknown>>[]): readonly string[] {
  return rows.map(({ name }) => String(name));
}

function missing(what: string, name: string, known: Iterable<string>): string {
  const hint = didYouMean(name, known);
  return `there is ${what}${hint === undefined ? "" : `; ${hint}`}`;
}
