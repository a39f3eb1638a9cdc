/** The table of the changes that failed for good. */
import { ConnectorError } from "../../../base/errors.ts";
import { quoted } from "../../../base/shown.ts";
import type { DeliveryFailure } from "../../../contract/subscriptions.ts";
import type { Database, Statement } from "../driver.ts";
import type { Change } from "./feed.ts";
import { COLUMNS, creation, quotedTable } from "./dead-letter-table.ts";
import { tableName } from "./operation.ts";

/** How many characters a reason has at most. */
const LONGEST_REASON = 1000;

/** What is kept of a change; one that cannot be read has no row. */
export type Letter =
  & Pick<Change, "operation" | "table" | "lsn">
  & { readonly row?: Change["old"]; readonly old?: Change["old"] };

/** Writes dead letters. */
export class DeadLetterTable {
  /** As it is written in the configuration. */
  readonly table: string;
  readonly #connector: string;
  readonly #opened: () => Database;
  /** Prepared for this database. */
  #prepared: { readonly database: Database; readonly insert: Statement } | undefined;

  /** `connector` is its name, for errors; `opened` returns the open database, or throws. */
  constructor(connector: string, table: string, opened: () => Database) {
    this.#connector = connector;
    this.table = table;
    this.#opened = opened;
  }

  /**
   * Makes the table where it is missing: only then does the user need the right to.
   *
   * @throws {ConnectorError} The database refuses it, or does not answer.
   */
  async make(): Promise<void> {
    const database = this.#opened();
    try {
      const columns = await database.describe(this.table);
      if (columns.length > 0) return this.#prepare(database);
      // Another instance may make it at the same moment, which one of them is told as an error.
      await this.#create(database).catch(() => this.#create(database));
    } catch (cause) {
      const { reason, permanent } = database.explain(cause);
      const message = `cannot make the table of dead letters ${quoted(this.table)}: ${reason}`;
      throw new ConnectorError(this.#connector, message, { cause, permanent });
    }
    this.#prepare(database);
  }

  /**
   * Adds a change. Resolves when that is durable.
   *
   * @throws {Error} The database refuses it, or does not answer.
   */
  async add(
    { table, operation, row = null, old = null, lsn }: Letter,
    { reason, causes = reason, flows = [] }: DeliveryFailure,
  ): Promise<void> {
    if (this.#prepared?.database !== this.#opened()) await this.make();
    const { database, insert } = this.#prepared!;
    const words = causes.toWellFormed().replaceAll("\0", "").slice(0, LONGEST_REASON);
    const values = [table, operation, row, old, words, flows.join(", "), lsn];
    try {
      await run(database, insert, values.map((value) => database.dialect.bind(value)));
    } catch (cause) {
      // It may have been dropped meanwhile.
      this.#prepared = undefined;
      throw new Error(database.explain(cause).reason, { cause });
    }
  }

  #prepare(database: Database): void {
    this.#prepared = { database, insert: this.#insert(database) };
  }

  #create(database: Database): Promise<void> {
    const sql = creation(tableName(this.table), database.dialect.quoteName);
    return run(database, database.prepare(sql, statement("none")), []);
  }

  #insert(database: Database): Statement {
    const { dialect } = database;
    const marks = COLUMNS.map((_, index) => dialect.placeholder(index + 1)).join(", ");
    const columns = COLUMNS.map((name) => dialect.quoteName(name)).join(", ");
    const table = quotedTable(tableName(this.table), dialect.quoteName);
    const sql = `INSERT INTO ${table} (${columns}) VALUES (${marks})`;
    return database.prepare(sql, statement("none", COLUMNS));
  }
}

function statement(rows: "none", names: readonly string[] = []) {
  return { rows, background: false, names };
}

function run(database: Database, statement: Statement, values: readonly unknown[]): Promise<void> {
  return database.transaction({
    steps: [{ statement, values }],
    result: () => undefined,
    error: (cause) => cause as Error,
  });
}
