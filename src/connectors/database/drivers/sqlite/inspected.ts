/** A database whose statements are compiled and never run. */
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../../base/shown.ts";
import type { TextRange } from "../../../../contract/probe.ts";
import type { Details, Explanation, Inspected, Refusal } from "../../driver.ts";
import { dialect } from "./database.ts";
import { attempting, placeOfError } from "./error-places.ts";
import { explain } from "./errors.ts";
import { Names } from "./names.ts";
import { ColumnTypes, notNullColumns } from "./columns.ts";

/** A table, a column or another thing that does not exist, or a unique index. */
const LACKING = /no such |no column named |ON CONFLICT clause does not match/;

/** An SQLite database, for `weir check`. */
export class InspectedDatabase implements Inspected, Details {
  readonly dialect = dialect;
  readonly isPlayed = false;
  readonly details: Details = this;
  readonly pending: number;
  readonly #database: DatabaseSync;
  readonly #names: Names;
  readonly #types: ColumnTypes;

  /** The database must be open, and stays so. */
  constructor(database: DatabaseSync, pending: number) {
    this.#database = database;
    this.#names = new Names(database);
    this.#types = new ColumnTypes(database);
    this.pending = pending;
  }

  describe(table?: string): readonly string[] {
    return this.#names.describe(table);
  }

  compile(sql: string): void {
    this.#database.prepare(sql);
  }

  explain(error: unknown): Explanation {
    return explain(error);
  }

  lacks(error: unknown): boolean {
    return LACKING.test(messageOf(error));
  }

  notNull(table: string): readonly string[] {
    return notNullColumns(this.#database, table).map(({ name }) => name);
  }

  required(table: string): readonly string[] {
    return notNullColumns(this.#database, table).filter(({ hasDefault }) => !hasDefault)
      .map(({ name }) => name);
  }

  refusal(table: string, column: string, value: unknown): Refusal | undefined {
    return this.#types.refusal(table, column, value);
  }

  place(query: string, error: unknown): TextRange | undefined {
    const attempt = attempting((sql) => void this.#database.prepare(sql));
    return placeOfError(query, attempt(query) ?? messageOf(error), "sqlite", attempt);
  }
}
