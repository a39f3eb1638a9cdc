/** What is known of the tables of a database: their columns, the kinds of these, and unique keys. */
import type { Row } from "../../driver.ts";
import { type ColumnKind, toLiteral } from "./values.ts";

/** Reads rows. */
export type Ask = (sql: string) => Promise<readonly Row[]>;

/** A table or view. */
export interface Table {
  /** The kinds of its columns, by their names. */
  readonly columns: ReadonlyMap<string, ColumnKind>;
  /** The columns of each unique index, the primary key among them. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** Whether there is a unique index of a part of a column, or of an expression. */
  readonly hasPartialKeys: boolean;
  /** None where there is no primary key. */
  readonly primaryKey: readonly string[];
  /** The column that the server counts up; undefined without one. */
  readonly counter: string | undefined;
}

/** What a server has that changes how tables are described. */
export interface Traits {
  readonly mariadb: boolean;
}

/** Describes tables, and keeps what it has read. */
export class Tables {
  readonly #ask: Ask;
  readonly #traits: Traits;
  readonly #known = new Map<string, Table>();
  /** Those that writes wait for. */
  readonly #reading = new Map<string, Promise<Table | undefined>>();

  /** Reads nothing yet. */
  constructor(ask: Ask, traits: Traits) {
    this.#ask = ask;
    this.#traits = traits;
  }

  /** The names of all tables and views. */
  async names(): Promise<readonly string[]> {
    const sql = "SELECT TABLE_NAME AS name FROM information_schema.TABLES " +
      "WHERE TABLE_SCHEMA = DATABASE()";
    return (await this.#ask(sql)).map(({ name }) => String(name));
  }

  /** The names of all their columns. */
  async columnNames(): Promise<readonly string[]> {
    const sql = "SELECT DISTINCT COLUMN_NAME AS name FROM information_schema.COLUMNS " +
      "WHERE TABLE_SCHEMA = DATABASE()";
    return (await this.#ask(sql)).map(({ name }) => String(name));
  }

  /** What was read of a table; undefined where it is to be read. */
  known(table: string): Table | undefined {
    return this.#known.get(table);
  }

  /** The table is read again before it is written to. */
  forget(table: string): void {
    this.#known.delete(table);
  }

  /** Reads a table as `read` does; without `ask` once for all that wait for it at the same time. */
  load(table: string, ask?: Ask): Promise<Table | undefined> {
    if (ask !== undefined) return this.read(table, ask);
    const begun = this.#reading.get(table);
    if (begun !== undefined) return begun;
    const reading = this.read(table).finally(() => this.#reading.delete(table));
    this.#reading.set(table, reading);
    return reading;
  }

  /** Reads a table, with `ask` if it is given; undefined where it does not exist. */
  async read(table: string, ask = this.#ask): Promise<Table | undefined> {
    // One after the other: `ask` may have a single connection.
    const rows = await this.#of(
      ask,
      table,
      "COLUMNS",
      "COLUMN_NAME AS name, DATA_TYPE AS type, NUMERIC_SCALE AS scale, EXTRA AS extra",
      "ORDER BY ORDINAL_POSITION",
    );
    if (rows.length === 0) {
      this.#known.delete(table);
      return undefined;
    }
    const indexes = await this.#of(
      ask,
      table,
      "STATISTICS",
      "INDEX_NAME AS name, COLUMN_NAME AS `column`, SUB_PART AS part",
      "AND NON_UNIQUE = 0 ORDER BY INDEX_NAME, SEQ_IN_INDEX",
    );
    const json = await this.#jsonOf(ask, table);
    const columns = rows.map((row) => [String(row.name), kindOf(row, json)] as const);
    const keys = Map.groupBy(indexes, ({ name }) => name);
    const whole = [...keys.values()].filter((parts) =>
      parts.every(({ part, column }) => part === null && column !== null)
    );
    const counter = rows.find(({ extra }) => /auto_increment/i.test(String(extra)));
    const found: Table = {
      columns: new Map(columns),
      uniqueKeys: whole.map((parts) => parts.map(({ column }) => String(column))),
      hasPartialKeys: whole.length < keys.size,
      primaryKey: (keys.get("PRIMARY") ?? []).map(({ column }) => String(column)),
      counter: counter === undefined ? undefined : String(counter.name),
    };
    this.#known.set(table, found);
    return found;
  }

  async #of(
    ask: Ask,
    table: string,
    view: string,
    select: string,
    end: string,
  ): Promise<readonly Row[]> {
    const { schema, name } = splitTarget(table);
    return await ask(
      `SELECT ${select} FROM information_schema.${view} ` +
        `WHERE TABLE_SCHEMA = ${schema} AND TABLE_NAME = ${literal(name)} ${end}`,
    );
  }

  /** The columns that are JSON. For MariaDB that is a long text with a check of its own. */
  async #jsonOf(ask: Ask, table: string): Promise<ReadonlySet<string>> {
    if (!this.#traits.mariadb) return new Set();
    const { schema, name } = splitTarget(table);
    const rows = await ask(
      "SELECT CHECK_CLAUSE AS rule FROM information_schema.CHECK_CONSTRAINTS " +
        `WHERE CONSTRAINT_SCHEMA = ${schema} AND TABLE_NAME = ${literal(name)}`,
    );
    return new Set(
      rows
        .map(({ rule }) => /^json_valid\(`(.*)`\)$/i.exec(String(rule))?.[1].replaceAll("``", "`"))
        .filter((column) => column !== undefined),
    );
  }
}

/** The literals of the schema and the name of a target, which may have both. */
function splitTarget(target: string): { readonly schema: string; readonly name: string } {
  const dot = target.indexOf(".");
  return dot === -1
    ? { schema: "DATABASE()", name: target }
    : { schema: literal(target.slice(0, dot)), name: target.slice(dot + 1) };
}

function literal(name: string): string {
  return toLiteral(name, "other", "name");
}

const WHOLE = new Set(["tinyint", "smallint", "mediumint", "int", "bigint", "year", "bit"]);
const NUMBERS = new Set(["decimal", "float", "double"]);
const TEXTS = new Set([
  ...["char", "varchar", "tinytext", "text", "mediumtext", "longtext"],
  // A number would be the place of one of their values.
  ...["enum", "set"],
]);
const TIMES = new Set(["datetime", "timestamp", "date"]);
const BYTES = new Set(["tinyblob", "blob", "mediumblob", "longblob", "binary", "varbinary"]);

function kindOf({ name, type, scale }: Row, json: ReadonlySet<string>): ColumnKind {
  const kind = String(type).toLowerCase();
  if (kind === "json" || json.has(String(name))) return "json";
  if (WHOLE.has(kind) || (kind === "decimal" && Number(scale) === 0)) return "whole";
  if (NUMBERS.has(kind)) return "number";
  if (TIMES.has(kind)) return "time";
  if (kind === "time") return "clock";
  if (TEXTS.has(kind)) return "text";
  return BYTES.has(kind) ? "bytes" : "other";
}
