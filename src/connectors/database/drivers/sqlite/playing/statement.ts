/** A statement of a played database: its values and rows are those of the real one. */
import type { DatabaseSync } from "node:sqlite";
import { quoted } from "../../../../../base/shown.ts";
import type { Result, Row, StatementOptions, Syntax } from "../../../driver.ts";
import type { RunnableStatement, SqliteStatement } from "../statement.ts";
import { type Kind, kindOf } from "./types.ts";
import { toShown, toStored } from "./values.ts";

/** Converts what it takes and returns by the declared types of the columns. */
export class PlayedStatement implements RunnableStatement {
  readonly sql: string;
  readonly rows: StatementOptions["rows"];
  /** A database in memory has one connection. */
  readonly elsewhere = false;
  readonly #statement: SqliteStatement;
  readonly #syntax: Syntax;
  /** Of its values; undefined for a value that is compared or computed with. */
  readonly #taken: readonly (Kind | undefined)[];
  readonly #names: readonly string[];
  /** Of the columns of its rows, by name. */
  readonly #returned: ReadonlyMap<string, Kind>;

  /** Asks the connection for the types of the columns of `table`, which a write names. */
  constructor(
    statement: SqliteStatement,
    names: readonly string[],
    table: string | undefined,
    syntax: Syntax,
    database: DatabaseSync,
  ) {
    this.sql = statement.sql;
    this.rows = statement.rows;
    this.#statement = statement;
    this.#syntax = syntax;
    this.#names = names.map((name) =>
      table === undefined ? `parameter ":${name}"` : `column ${quoted(name)}`
    );
    const declared = table === undefined ? NONE : declaredTypes(database, table);
    this.#taken = names.map((name) => kindOf(declared.get(name) ?? null, syntax));
    this.#returned = new Map(
      statement.columns().flatMap(({ name, type }) => {
        const kind = kindOf(type, syntax);
        return kind === undefined ? [] : [[name, kind] as const];
      }),
    );
  }

  run(values: readonly unknown[]): Result {
    const result = this.#statement.run(values.map((value, at) => this.#store(value, at)));
    if (!("changes" in result)) return result.map((row) => this.#show(row));
    // PostgreSQL never tells it; MySQL does not where nothing was inserted.
    if (this.#syntax === "postgres") return { ...result, last_insert_id: null };
    const inserts = result.changes !== 0 && /^\s*(?:INSERT|REPLACE)\b/i.test(this.sql);
    return inserts ? result : { ...result, last_insert_id: 0 };
  }

  #store(value: unknown, at: number) {
    try {
      return toStored(value, this.#taken[at], this.#syntax);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`${this.#names[at]} ${error.message}`, { cause: error });
    }
  }

  #show(row: Row): Row {
    const shown: Record<string, unknown> = { ...row };
    for (const [name, kind] of this.#returned) shown[name] = toShown(row[name], kind);
    return shown;
  }
}

const NONE: ReadonlyMap<string, string> = new Map();

function declaredTypes(database: DatabaseSync, table: string): ReadonlyMap<string, string> {
  const columns = database.prepare("SELECT name, type FROM pragma_table_xinfo(?)").all(table);
  return new Map(columns.map(({ name, type }) => [String(name), String(type)]));
}
