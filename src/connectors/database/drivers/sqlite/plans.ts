/** Prepared statements: one for each shape of write and for each query. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { didYouMean } from "../../../../base/nearest.ts";
import type { DatabaseDestination, Rows as RowsWanted } from "../../options.ts";
import { parseQuery } from "../../query.ts";
import { OPERATIONS, tableStatement, type TableWrite } from "../../statements.ts";
import type { Catalog } from "./catalog.ts";
import { mayTakeLong } from "./programs.ts";
import { toInteger, toRow } from "./values.ts";

/** Clients choose which fields they send, so there is a limit to what is kept prepared. */
const MOST_TABLE_PLANS = 256;

/** A prepared statement. */
export interface Plan {
  /** The columns or parameters whose values it takes, in order. */
  readonly names: readonly string[];
  /** True where it only reads. */
  readonly reads: boolean;
  /** Runs it and gives what a destination returns. */
  readonly run: (values: readonly SQLInputValue[]) => unknown;
  /** How it can be read on another connection, where it is one that may take long. */
  readonly elsewhere?: ReadElsewhere | undefined;
}

/** A read for another connection. */
export interface ReadElsewhere {
  /** With `?1` and so on for the values. */
  readonly sql: string;
  /** True where the first row is enough. */
  readonly first: boolean;
  /** Makes of the rows what a destination returns. */
  readonly result: (rows: Rows) => unknown;
}

type Rows = readonly Readonly<Record<string, unknown>>[];

/** A write to a table as it is asked for: nothing of it has been checked. */
export interface WantedWrite extends Omit<TableWrite, "operation" | "key"> {
  readonly operation: string;
  readonly key: string | undefined;
  readonly returning: boolean;
}

/** Prepares statements and keeps them. */
export class Plans {
  readonly #database: DatabaseSync;
  readonly #catalog: Catalog;
  readonly #tables = new Map<string, Plan>();
  /** The one of the newest write to a table: the next is often of the same shape. */
  #newest: { readonly wanted: WantedWrite; readonly plan: Plan } | undefined;
  readonly #queries = new WeakMap<DatabaseDestination, Plan>();

  /** Prepares nothing yet. */
  constructor(database: DatabaseSync, catalog: Catalog) {
    this.#database = database;
    this.#catalog = catalog;
  }

  /**
   * The plan of a write to a table.
   *
   * @throws {RangeError} The table, a column or the key is not there.
   * @throws {Error} SQLite refuses it.
   */
  table(wanted: WantedWrite): Plan {
    if (this.#newest !== undefined && isSame(wanted, this.#newest.wanted)) return this.#newest.plan;
    const plan = this.#tablePlan(wanted);
    this.#newest = { wanted, plan };
    return plan;
  }

  #tablePlan(wanted: WantedWrite): Plan {
    const { operation, table, key, columns, returning } = wanted;
    // JSON, since any plain separator might be part of a name.
    const id = JSON.stringify([operation, table, key, columns, returning]);
    const kept = this.#tables.get(id);
    if (kept !== undefined) return kept;
    const write = checkWrite(wanted);
    this.#catalog.require(table, operation === "DELETE" ? [write.key] : columns);
    const { sql, columns: names } = tableStatement(write, (position) => `?${position}`);
    const statement = this.#prepare(sql);
    const single = operation === "INSERT" || operation === "UPSERT";
    const run = !returning ? nothing(statement) : rowsAs(single ? "one" : "auto", statement);
    const plan = { names, reads: false, run };
    const [oldest] = this.#tables.keys();
    if (this.#tables.size >= MOST_TABLE_PLANS) this.#tables.delete(oldest);
    this.#tables.set(id, plan);
    return plan;
  }

  /**
   * The plan of a query; `options` stand for its block.
   *
   * @throws {SyntaxError} It is no single statement with `:named` parameters.
   * @throws {Error} SQLite refuses it.
   */
  query(options: DatabaseDestination, text: string): Plan {
    const kept = this.#queries.get(options);
    if (kept !== undefined) return kept;
    const { pieces, parameters, reads } = parseQuery(text);
    const names = [...new Set(parameters)];
    const sql = pieces.reduce((sql, piece, i) =>
      `${sql}?${names.indexOf(parameters[i - 1]) + 1}${piece}`
    );
    const statement = this.#prepare(sql);
    const hasRows = statement.columns().length > 0;
    const wanted = options.rows ?? "all";
    const run = hasRows ? rowsAs(wanted, statement) : changes(statement);
    const elsewhere = reads && hasRows && mayTakeLong(this.#database, sql)
      ? { sql, first: wanted === "one", result: RESULTS[wanted] }
      : undefined;
    const plan = { names, reads, run, elsewhere };
    this.#queries.set(options, plan);
    return plan;
  }

  #prepare(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    // Otherwise an integer beyond 2^53 could be written but not returned.
    statement.setReadBigInts(true);
    return statement;
  }
}

function isSame(a: WantedWrite, b: WantedWrite): boolean {
  return a.table === b.table && a.operation === b.operation && a.key === b.key &&
    a.returning === b.returning && a.columns.length === b.columns.length &&
    a.columns.every((column, i) => column === b.columns[i]);
}

function checkWrite({ operation, table, key, columns, returning }: WantedWrite): TableWrite {
  const known = OPERATIONS.find((name) => name === operation);
  if (known === undefined) {
    throw new RangeError(because("no such operation", didYouMean(operation, OPERATIONS)));
  }
  if (known === "INSERT") return { operation: known, table, key: "", columns, returning };
  if (key === undefined) throw new RangeError("needs a key, which is a column");
  if (!columns.includes(key)) {
    throw new RangeError(
      because(`needs its key "${key}" in the payload`, didYouMean(key, columns)),
    );
  }
  if (known === "UPDATE" && columns.length === 1) {
    throw new RangeError(`has nothing to set, since the payload has the key "${key}" alone`);
  }
  return { operation: known, table, key, columns, returning };
}

function because(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}

/** What becomes of a query's rows. */
const RESULTS: Readonly<Record<RowsWanted, ReadElsewhere["result"]>> = {
  auto: (rows) => rows.length > 1 ? rows : rows[0] ?? null,
  one: (rows) => rows[0] ?? null,
  all: (rows) => rows,
};

function rowsAs(wanted: RowsWanted, statement: StatementSync): Plan["run"] {
  if (wanted === "one") return oneRow(statement);
  return (values) => RESULTS[wanted](statement.all(...values).map(toRow));
}

/** A row that nobody reads costs more than the write. */
function nothing(statement: StatementSync): Plan["run"] {
  return (values) => void statement.run(...values);
}

function oneRow(statement: StatementSync): Plan["run"] {
  return (values) => {
    const row = statement.get(...values);
    // None where a query finds nothing, or where a trigger has ignored the row.
    return row === undefined ? null : toRow(row);
  };
}

function changes(statement: StatementSync): Plan["run"] {
  return (values) => {
    const { changes, lastInsertRowid } = statement.run(...values);
    return { changes: toInteger(changes), last_insert_id: toInteger(lastInsertRowid) };
  };
}
