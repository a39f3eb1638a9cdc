/** The committed changes of tables in a played database. Triggers write them down. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Clock } from "../../../../../base/clock.ts";
import type { Change } from "../../../changes/feed.ts";
import type { ChangeKind } from "../../../changes/operation.ts";
import type { Row, Syntax } from "../../../driver.ts";
import { standardDialect } from "../../../statements.ts";
import { toRow } from "../values.ts";
import { type Kind, kindOf } from "./types.ts";
import { toShown } from "./values.ts";

/** A function of SQL that gives every change a number. */
const NUMBER = "_weir_change_number";

/** A table whose changes are written down. */
interface Watched {
  readonly table: string;
  readonly columns: readonly Column[];
  /** The table of its changes, which goes back with a transaction that is undone. */
  readonly log: string;
}

interface Column {
  readonly name: string;
  readonly kind: Kind | undefined;
  readonly isKey: boolean;
}

/** What tells that a change was written down. */
interface Found {
  readonly number: number;
  readonly change: Change;
}

/** The changes of one database. */
export class ChangeLog {
  readonly #database: DatabaseSync;
  readonly #syntax: Syntax;
  readonly #clock: Clock;
  /** The tables whose rows as they were are known in full. */
  readonly #full: ReadonlySet<string>;
  readonly #watched: Watched[] = [];
  #number = 0;
  /** The number of the last change that `take` has returned. */
  #taken = 0;
  #listener: (() => void) | undefined;

  /** `full` are the tables that have REPLICA IDENTITY FULL. */
  constructor(database: DatabaseSync, syntax: Syntax, clock: Clock, full: ReadonlySet<string>) {
    this.#database = database;
    this.#syntax = syntax;
    this.#clock = clock;
    this.#full = full;
    database.function(NUMBER, () => ++this.#number);
  }

  /** Begins to write down the changes of a table. Returns whether there is such a table. */
  watch(table: string): boolean {
    const columns = this.#columnsOf(table);
    if (columns.length === 0) return false;
    const log = `temp.${quote(`_weir_changes_${this.#watched.length}`)}`;
    const names = columns.flatMap((_, at) => [`new_${at}`, `old_${at}`]).join(", ");
    this.#database.exec(`CREATE TABLE ${log} (number, operation, ${names})`);
    for (const operation of ["INSERT", "UPDATE", "DELETE"] as const) {
      const values = columns.flatMap(({ name }) => [
        operation === "DELETE" ? "NULL" : `NEW.${quote(name)}`,
        operation === "INSERT" ? "NULL" : `OLD.${quote(name)}`,
      ]);
      const trigger = `temp.${quote(`_weir_${operation}_${this.#watched.length}`)}`;
      this.#database.exec(
        `CREATE TRIGGER ${trigger} AFTER ${operation} ON main.${quote(table)} BEGIN
           INSERT INTO ${log.slice("temp.".length)}
           VALUES (${NUMBER}(), '${operation}', ${values.join(", ")});
         END`,
      );
    }
    this.#watched.push({ table, columns, log });
    return true;
  }

  /** Calls `listener` when changes have been committed. */
  listen(listener: (() => void) | undefined): void {
    this.#listener = listener;
  }

  /** A transaction has ended. */
  ended(): void {
    // What the next one has done already is not committed yet; its own end comes.
    if (!this.#database.isTransaction) this.#listener?.();
  }

  /** The changes since the last call, in the order in which they were made. */
  take(): readonly Change[] {
    const found = this.#watched.flatMap((watched) => this.#read(watched));
    found.sort((a, b) => a.number - b.number);
    this.#taken = Math.max(this.#taken, ...found.map(({ number }) => number));
    return found.map(({ change }) => change);
  }

  #read({ table, columns, log }: Watched): readonly Found[] {
    const statement = this.#database.prepare(`SELECT * FROM ${log} WHERE number > ?`);
    statement.setReadBigInts(true);
    return statement.all(this.#taken as SQLInputValue).map((found) => {
      const row = toRow(found);
      const operation = row.operation as ChangeKind;
      const isFull = this.#full.has(table);
      const part = (prefix: "new" | "old", wanted: readonly Column[]): Row =>
        Object.fromEntries(wanted.map((column) => [
          column.name,
          shown(row[`${prefix}_${columns.indexOf(column)}`], column.kind),
        ]));
      const key = columns.filter(({ isKey }) => isKey);
      const known = isFull ? columns : key;
      const keyChanged = JSON.stringify(part("old", key)) !== JSON.stringify(part("new", key));
      const number = Number(row.number);
      const tellsOld = operation === "DELETE" || operation === "UPDATE" && (isFull || keyChanged);
      return {
        number,
        change: {
          operation,
          table,
          row: operation === "DELETE" ? part("old", known) : part("new", columns),
          old: tellsOld ? part("old", known) : null,
          unchanged: [],
          lsn: `0/${number.toString(16).toUpperCase()}`,
          committedAt: new Date(this.#clock.now()).toISOString().replace("Z", "000Z"),
        },
      };
    });
  }

  #columnsOf(table: string): readonly Column[] {
    const sql = "SELECT name, type, pk FROM pragma_table_xinfo(?)";
    return this.#database.prepare(sql).all(table).map(({ name, type, pk }) => ({
      name: String(name),
      kind: kindOf(String(type), this.#syntax),
      isKey: Number(pk) > 0,
    }));
  }
}

function shown(value: unknown, kind: Kind | undefined): unknown {
  return kind === undefined ? value : toShown(value, kind);
}

function quote(name: string): string {
  return standardDialect.quoteName(name);
}
