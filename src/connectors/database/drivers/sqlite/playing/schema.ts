/** The tables that the migrations of another database make, where SQLite takes them. */
import type { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../../../../base/clock.ts";
import { ConnectorError } from "../../../../../base/errors.ts";
import type { Logger } from "../../../../../contract/connector.ts";
import type { TextRange } from "../../../../../contract/probe.ts";
import type {
  Details,
  Dialect,
  Explanation,
  Inspected,
  Migration,
  Refusal,
  StatementOptions,
} from "../../../driver.ts";
import type { PlayedDriver } from "../../../options.ts";
import type { Schema } from "../../../schema.ts";
import { notNullColumns } from "../columns.ts";
import { attempting, placeOfError } from "../error-places.ts";
import { messageAbout } from "../errors.ts";
import type { PlayedDatabase } from "./database.ts";
import { openPlayed } from "./mod.ts";
import { namesAlone } from "./names-alone.ts";
import { refusalOf } from "./refusals.ts";

/** Nobody reads what a check would log. */
const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/** Undefined where SQLite refuses a migration. */
export function openPlayedSchema(
  migrations: readonly Migration[],
  plays: PlayedDriver,
): Schema | undefined {
  const played = open(migrations, plays);
  if (played === undefined) return undefined;
  const close = () => played.close();
  if (!played.isMocked) return { database: new PlayedTables(played, migrations, plays), close };
  void close();
  return undefined;
}

function open(migrations: readonly Migration[], plays: PlayedDriver): PlayedDatabase | undefined {
  const options = { driver: "sqlite", database: ":memory:", simulated: true, plays } as const;
  const context = { name: "", options, migrations, logger: SILENT, clock: systemClock };
  try {
    return openPlayed(context, plays);
  } catch (error) {
    if (error instanceof ConnectorError) return undefined;
    throw error;
  }
}

/** How many functions a query may have that SQLite lacks. */
const MOST_FUNCTIONS = 100;

/** What such a database tells. Names are compared by the callers as the real database does. */
class PlayedTables implements Inspected, Details {
  readonly dialect: Dialect;
  readonly pending = 0;
  readonly isPlayed = true;
  readonly details: Details = this;
  readonly #played: PlayedDatabase;
  readonly #connection: DatabaseSync;
  readonly #syntax: PlayedDriver["syntax"];
  /** Whether some column counts by itself, without being the primary key. */
  readonly #counts: boolean;

  constructor(
    played: PlayedDatabase,
    migrations: readonly Migration[],
    { syntax }: PlayedDriver,
  ) {
    this.#played = played;
    this.#connection = played.connection;
    this.#syntax = syntax;
    this.dialect = played.dialect;
    const counting = /\b(?:(?:small|big)?serial\d?|identity|auto_increment)\b/i;
    this.#counts = migrations.some(({ sql }) => counting.test(sql));
  }

  describe(table?: string): readonly string[] {
    const names = this.#played.describe(table && (this.#nameOf(table) ?? table));
    // PostgreSQL reads names without quotes in lower case, which nearly all are.
    return this.#syntax === "postgres" ? names.map((name) => name.toLowerCase()) : names;
  }

  compile(sql: string, options: StatementOptions): void {
    if (options.write === undefined) this.#compileQuery(sql);
    else this.#played.prepare(sql, options);
  }

  /** SQLite gets each function that it lacks: what it returns does not matter. */
  #compileQuery(sql: string): void {
    const text = namesAlone(sql, this.#syntax);
    for (let added = 0;; added++) {
      try {
        return void this.#connection.prepare(text);
      } catch (error) {
        const message = messageAbout(error, text);
        const [, name] = /^no such function: (\w+)$/.exec(message) ?? [];
        if (name === undefined || added === MOST_FUNCTIONS) {
          throw new Error(message, { cause: error });
        }
        this.#connection.function(name, { varargs: true }, () => null);
      }
    }
  }

  explain(error: unknown): Explanation {
    return this.#played.explain(error);
  }

  lacks(): boolean {
    return false;
  }

  notNull(table: string): readonly string[] {
    return this.#notNull(table).map(({ name }) => name);
  }

  required(table: string): readonly string[] {
    return this.#notNull(table).filter(({ hasDefault }) => !hasDefault).map(({ name }) => name);
  }

  #notNull(table: string): ReturnType<typeof notNullColumns> {
    const types = this.#typesOf(table);
    return notNullColumns(this.#connection, this.#nameOf(table) ?? table).filter(({ name }) => {
      const type = types.get(name.toLowerCase()) ?? "";
      // Older servers fill in the time and the first name of an ENUM.
      if (this.#syntax === "mysql" && /^(?:timestamp|enum)/i.test(type)) return false;
      return !(this.#counts && /^integer/i.test(type));
    });
  }

  refusal(table: string, column: string, value: unknown): Refusal | undefined {
    return refusalOf(value, this.#typesOf(table).get(column.toLowerCase()), this.#syntax);
  }

  place(query: string): TextRange | undefined {
    const attempt = attempting((sql) => this.#compileQuery(sql));
    const message = attempt(query);
    return message === undefined ? undefined : placeOfError(query, message, this.#syntax, attempt);
  }

  /** The table as SQLite names it. PostgreSQL reads names in lower case, and MySQL's server decides. */
  #nameOf(table: string): string | undefined {
    const name = table.replace(/^public\./, "").toLowerCase();
    return this.#played.describe().find((known) => known.toLowerCase() === name);
  }

  /** The types of a table's columns, by their names in lower case. */
  #typesOf(table: string): ReadonlyMap<string, string> {
    const name = this.#nameOf(table) ?? table;
    const columns = this.#connection.prepare("SELECT name, type FROM pragma_table_xinfo(?)");
    return new Map(
      columns.all(name).map(({ name, type }) => [String(name).toLowerCase(), String(type)]),
    );
  }
}
