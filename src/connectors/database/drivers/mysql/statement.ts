/** Prepared statements: a text with places for literals. Nothing of them is at the server. */
import { quoted } from "../../../../base/shown.ts";
import type { Row, StatementOptions } from "../../driver.ts";
import type { Operation, TableWrite } from "../../table-write.ts";
import { splitTemplate, type Template } from "./dialect.ts";
import { RefusedError } from "./errors.ts";
import type { Table } from "./tables.ts";
import { toKeyLiteral } from "./key-values.ts";
import { type Bound, toLiteral, toServerTime } from "./values.ts";

/** A prepared statement. */
export class MysqlStatement {
  readonly rows: StatementOptions["rows"];
  /** What it writes; undefined for a query. */
  readonly write: TableWrite | undefined;
  /** Its names of columns or parameters, in the order of the values. */
  readonly names: readonly string[];
  /** Whether it only reads, and one row of it is enough. */
  readonly #readsOne: boolean;
  readonly #template: Template;
  /** The values of a query that the server has refused as times, and that are converted since. */
  readonly #times = new Set<number>();

  /** `sql` has the placeholders of the dialect. */
  constructor(sql: string, { rows, background, names, write }: StatementOptions) {
    this.#template = splitTemplate(sql);
    this.#readsOne = background && rows === "first";
    this.rows = rows;
    this.names = names;
    this.write = write;
  }

  /** The operation of a write to a table; undefined for a query. */
  get operation(): Operation | undefined {
    return this.write?.operation;
  }

  /** Whether its rows are needed. */
  get returns(): boolean {
    return this.rows !== "none";
  }

  /** The text that the server compiles, with its own placeholders. */
  get compilable(): string {
    return this.#template.pieces.join("?");
  }

  /** The text with the literals of its values, in their order. */
  text(literals: readonly string[]): string {
    const { pieces, positions } = this.#template;
    let sql = pieces[0];
    for (let i = 0; i < positions.length; i++) sql += literals[positions[i]] + pieces[i + 1];
    return sql;
  }

  /** What comes before the rows of an INSERT, and after them. */
  get aroundRows(): { readonly head: string; readonly tail: string } {
    const { pieces } = this.#template;
    // The parentheses of the row are beside its first and last placeholder.
    if (pieces.length === 1) return { head: pieces[0].slice(0, -"()".length), tail: "" };
    return { head: pieces[0].slice(0, -1), tail: pieces[pieces.length - 1].slice(1) };
  }

  /** The literals of the values, in their order. */
  literals(values: readonly unknown[], table: Table | undefined): string[] {
    const { names, write } = this;
    return values.map((value, index) => {
      const name = names[index];
      if (write === undefined) {
        const kind = this.#times.has(index) ? "time" : "other";
        return toLiteral(value as Bound, kind, `parameter ${quoted(`:${name}`)}`);
      }
      const kind = table?.columns.get(name) ?? "other";
      const convert = write.key.includes(name) ? toKeyLiteral : toLiteral;
      return convert(value as Bound, kind, `column ${quoted(name)}`);
    });
  }

  /**
   * Remembers which values of a query are times, from an error that shows one. False where none is, so
   * that it is of no use to run the query again.
   */
  learnTimes(values: readonly unknown[], message: string): boolean {
    if (this.write !== undefined) return false;
    let learned = false;
    values.forEach((value, index) => {
      if (typeof value !== "string" || this.#times.has(index)) return;
      if (!message.includes(value) || toServerTime(value) === undefined) return;
      this.#times.add(index);
      learned = true;
    });
    return learned;
  }

  /** The text of a query for a server that sends no more of its rows than are needed, where it can. */
  limited(sql: string, mariadb: boolean): string {
    if (!this.#readsOne) return sql;
    // A LIMIT of the text counts more than either.
    if (mariadb) return `SET STATEMENT sql_select_limit = 1 FOR ${sql}`;
    const [select] = /^\s*SELECT\b/i.exec(sql) ?? [];
    if (select === undefined || sql.includes("/*+")) return sql;
    return `${select} /*+ SET_VAR(sql_select_limit = 1) */${sql.slice(select.length)}`;
  }

  /** The rows that are needed of those that the server has returned. */
  needed(rows: readonly Row[]): readonly Row[] {
    if (this.rows === "all") return rows;
    return this.rows === "none" ? [] : rows.slice(0, 1);
  }
}

/** A statement with its values. */
export class Call {
  readonly statement: MysqlStatement;
  readonly values: readonly unknown[];
  /** The table that it writes to; undefined for a query. */
  readonly table: Table | undefined;
  /** Whether the row of an UPSERT might meet unique keys beside its own. */
  readonly meetsOthers: boolean;
  #literals: readonly string[];

  /**
   * Makes the literals of its values.
   *
   * @throws {RefusedError} A column cannot hold its value, or the key of an UPSERT is none.
   */
  constructor(
    statement: MysqlStatement,
    values: readonly unknown[],
    table: Table | undefined,
  ) {
    this.statement = statement;
    this.values = values;
    this.table = table;
    this.#literals = statement.literals(values, table);
    const { write } = statement;
    this.meetsOthers = write?.operation === "UPSERT" && table !== undefined &&
      meetsOtherKeys(write, table);
  }

  /** The literals of its values, in their order. */
  get literals(): readonly string[] {
    return this.#literals;
  }

  /** Its text. */
  get sql(): string {
    return this.statement.text(this.#literals);
  }

  /** The literal of a column; undefined where it has none. */
  literalOf(column: string): string | undefined {
    const index = this.statement.names.indexOf(column);
    return index === -1 ? undefined : this.#literals[index];
  }

  /** Writes those of its values as times that an error of the server names; false where it names none. */
  learnTimes(message: string): boolean {
    const learned = this.statement.learnTimes(this.values, message);
    if (learned) this.#literals = this.statement.literals(this.values, this.table);
    return learned;
  }
}

/**
 * Checks that the key of an UPSERT is one of the table's unique keys. Returns whether its row might meet
 * others.
 *
 * @throws {RefusedError} It is none.
 */
function meetsOtherKeys(
  { key, columns }: TableWrite,
  { uniqueKeys, hasPartialKeys, counter }: Table,
): boolean {
  const isKey = (other: readonly string[]) =>
    other.length === key.length && other.every((column) => key.includes(column));
  if (!uniqueKeys.some(isKey)) {
    const names = key.map(quoted).join(", ");
    throw new RefusedError(
      `there is no primary key or unique index of ${names} alone; ` +
        "its key must be the primary key or unique",
    );
  }
  // A number that the server counts up itself meets none.
  const isCounter = (other: readonly string[]) =>
    other.length === 1 && other[0] === counter && !columns.includes(other[0]);
  return hasPartialKeys || uniqueKeys.some((other) => !isKey(other) && !isCounter(other));
}
