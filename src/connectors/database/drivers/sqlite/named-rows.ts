/**
 * Rows of a statement under the names of its columns, on Deno. There `all` has the names of the columns,
 * and their number, as they were before the statement was compiled again: once somebody else has dropped a
 * column, the first call would have values under the names of others. Read as lists, with a look at
 * the version of the schema, rows cost as much as those of `all`.
 */
import process from "node:process";
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Row } from "../../driver.ts";
import { toNamedRow } from "./values.ts";

/** Whether rows must be read in this way. */
export const namesAreLate = "deno" in process.versions;

/** Reads the version of a database's schema, which each change of a table increases. */
export class SchemaVersion {
  readonly #statement: StatementSync;

  /** Prepares to read it. */
  constructor(database: DatabaseSync) {
    this.#statement = database.prepare("PRAGMA schema_version");
    this.#statement.setReturnArrays(true);
  }

  /** The version now. */
  read(): SQLOutputValue {
    const [version] = this.#statement.get() as unknown as readonly SQLOutputValue[];
    return version;
  }
}

/** Reads all rows of one statement. */
export class NamedRows {
  readonly #statement: StatementSync;
  readonly #version: SchemaVersion;
  readonly #reads: boolean;
  #names: readonly string[] = [];
  /** The version that the names are of; undefined where that is not sure. */
  #known: SQLOutputValue | undefined;
  /** The version after the last run. */
  #last: SQLOutputValue | undefined;

  /** `statement` returns lists from now on. `reads` says whether it can be run again. */
  constructor(statement: StatementSync, version: SchemaVersion, reads: boolean) {
    statement.setReturnArrays(true);
    this.#statement = statement;
    this.#version = version;
    this.#reads = reads;
  }

  /** Runs the statement. What a write returns lacks a column that was added just before. */
  all(values: readonly SQLInputValue[]): readonly Row[] {
    let rows: readonly (readonly SQLOutputValue[])[];
    do {
      rows = this.#statement.all(...values) as unknown as readonly SQLOutputValue[][];
      if (rows.length > 0) this.#look();
    } while (this.#reads && rows.length > 0 && rows[0].length < this.#names.length);
    return rows.map((row) => toNamedRow(this.#names, row));
  }

  /** Makes sure that the names are those of the rows that have just been read. */
  #look(): void {
    // Afterwards: the version only grows, so that the rows are of no later one.
    const version = this.#version.read();
    if (version === this.#known) return;
    this.#names = this.#statement.columns().map(({ name }) => name);
    // Where it is another one than after the last run, it may have changed after the rows were read.
    this.#known = version === this.#last ? version : undefined;
    this.#last = version;
  }
}
