/**
 * Prepared statements, one for each shape of write and for each query; and the catalog of tables that
 * writes are checked with.
 */
import { didYouMean } from "../../base/nearest.ts";
import { quoted } from "../../base/shown.ts";
import { KEYS_TABLE } from "./dedupe-table.ts";
import {
  type Database,
  type Explanation,
  MIGRATIONS_TABLE,
  type Result,
  type Row,
  type Statement,
  type StatementOptions,
  type UnknownName,
} from "./driver.ts";
import type { DatabaseDestination, Rows as RowsWanted } from "./options.ts";
import { parseQuery } from "./sql/mod.ts";
import { tableStatement } from "./statements.ts";
import { OPERATIONS, type TableWrite } from "./table-write.ts";

/** Clients choose which fields they send, so there is a limit to what is kept prepared. */
const MOST_TABLE_PLANS = 256;

/** A prepared statement, and the shape of its result. */
export interface Plan {
  readonly statement: Statement;
  /** The columns or parameters whose values it takes, in order. */
  readonly names: readonly string[];
  /** Those of them that find the row, and so must not be null. */
  readonly key: readonly string[];
  /** True where it only reads. */
  readonly reads: boolean;
  /** Makes the result of a destination or a step. */
  readonly shape: (result: Result) => unknown;
}

/** A write to a table as it is asked for: nothing of it has been checked. */
export interface WantedWrite extends Omit<TableWrite, "operation" | "key"> {
  readonly operation: string;
  readonly key: readonly string[] | undefined;
  readonly returning: boolean;
}

/** What prepares statements. */
type Preparing = Pick<Database, "dialect" | "prepare">;

/** Prepares statements and keeps them. */
export class Plans {
  readonly #database: Preparing;
  readonly #catalog: Catalog;
  readonly #tables = new Map<string, Plan>();
  /** The latest write to each table: the next is often of the same shape. */
  readonly #latest = new Map<string, { readonly wanted: WantedWrite; readonly plan: Plan }>();
  readonly #queries = new WeakMap<DatabaseDestination, Plan>();

  /** Prepares nothing yet. */
  constructor(database: Preparing, catalog: Catalog) {
    this.#database = database;
    this.#catalog = catalog;
  }

  /**
   * The plan of a write to a table. Returns a promise where the tables have to be asked for first.
   *
   * @throws {RefusedWriteError} The table, a column or the key does not exist.
   * @throws {Error} The database refuses it.
   */
  table(wanted: WantedWrite): Plan | Promise<Plan> {
    const latest = this.#latest.get(wanted.table);
    if (latest !== undefined && isSame(wanted, latest.wanted)) return latest.plan;
    // JSON, since any plain separator might be part of a name.
    const { operation, table, key, columns, returning } = wanted;
    const id = JSON.stringify([operation, table, key, columns, returning]);
    const kept = this.#tables.get(id);
    if (kept !== undefined) return this.#keepLatest(wanted, kept);
    const write = checkWrite(wanted);
    const needed = write.operation === "DELETE" ? write.key : columns;
    const checked = this.#catalog.require(table, needed);
    const prepare = () => this.#keepLatest(wanted, this.#prepareTable(id, write));
    return checked === undefined ? prepare() : checked.then(prepare);
  }

  #keepLatest(wanted: WantedWrite, plan: Plan): Plan {
    this.#latest.set(wanted.table, { wanted, plan });
    return plan;
  }

  #prepareTable(id: string, write: TableWrite): Plan {
    const { sql, columns: names } = tableStatement(write, this.#database.dialect);
    const single = write.operation === "INSERT" || write.operation === "UPSERT";
    // A row that is not needed costs more than the write.
    const rows = write.returning === false ? "none" : single ? "first" : "all";
    const statement = this.#database.prepare(sql, { rows, background: false, names, write });
    const shape = rows === "none" ? nothing : SHAPES[single ? "one" : "auto"];
    const plan = { statement, names, key: write.key, reads: false, shape };
    const [oldest] = this.#tables.keys();
    if (this.#tables.size >= MOST_TABLE_PLANS) this.#tables.delete(oldest);
    this.#tables.set(id, plan);
    return plan;
  }

  /**
   * The plan of a query; `options` are those of its block.
   *
   * @throws {SyntaxError} It is not a single statement with `:named` parameters.
   * @throws {Error} The database refuses it.
   */
  query(options: DatabaseDestination, text: string): Plan {
    const kept = this.#queries.get(options);
    if (kept !== undefined) return kept;
    const { dialect } = this.#database;
    const { pieces, parameters, reads } = parseQuery(text, dialect.syntax);
    const names = [...new Set(parameters)];
    const sql = pieces.reduce((sql, piece, i) =>
      `${sql}${dialect.placeholder(names.indexOf(parameters[i - 1]) + 1)}${piece}`
    );
    const wanted = options.rows ?? "all";
    const rows: StatementOptions["rows"] = wanted === "one" ? "first" : "all";
    const statement = this.#database.prepare(sql, { rows, background: reads, names });
    const plan = { statement, names, key: [], reads, shape: SHAPES[wanted] };
    this.#queries.set(options, plan);
    return plan;
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
    throw new RefusedWriteError("no such operation", didYouMean(operation, OPERATIONS));
  }
  if (known === "INSERT") return { operation: known, table, key: [], columns, returning };
  if (key === undefined) {
    throw new RefusedWriteError("needs a key, which is a column or a list of columns");
  }
  const absent = key.find((column) => !columns.includes(column));
  if (absent !== undefined) {
    const message = `needs its key ${quoted(absent)} in the payload`;
    throw new RefusedWriteError(message, didYouMean(absent, columns));
  }
  if (known === "UPDATE" && columns.length === key.length) {
    const names = key.map(quoted).join(", ");
    throw new RefusedWriteError(`has nothing to set, since the payload has the key ${names} alone`);
  }
  return { operation: known, table, key, columns, returning };
}

/** A write that no table can take. */
export class RefusedWriteError extends RangeError {
  override readonly name = "RefusedWriteError";
  /** What is wrong, without the hint. */
  readonly reason: string;
  /** What may be meant; undefined where nothing is close. */
  readonly hint: string | undefined;
  /** What does not exist; undefined where something else is wrong. */
  readonly unknown: UnknownName["kind"] | undefined;

  /** The message holds the hint. */
  constructor(reason: string, hint?: string, unknown?: UnknownName["kind"]) {
    super(hint === undefined ? reason : `${reason}; ${hint}`);
    this.reason = reason;
    this.hint = hint;
    this.unknown = unknown;
  }
}

/** The shapes of results. What a statement without rows changed stays as it is. */
const SHAPES: Readonly<Record<RowsWanted, Plan["shape"]>> = {
  auto: rowsAs((rows) => rows.length > 1 ? rows : rows[0] ?? null),
  // No row where a query finds nothing, or where a trigger has ignored the write.
  one: rowsAs((rows) => rows[0] ?? null),
  all: rowsAs((rows) => rows),
};

function rowsAs(shape: (rows: readonly Row[]) => unknown): Plan["shape"] {
  return (result) => "changes" in result ? result : shape(result);
}

function nothing(): undefined {
  return undefined;
}

/** The connector's own tables, which are no targets. */
const OWN: readonly string[] = [MIGRATIONS_TABLE, KEYS_TABLE];

/** Keeps what it has read; reads again before it says that something does not exist. */
export class Catalog {
  readonly #database: Pick<Database, "describe">;
  /** The columns of tables. */
  readonly #known = new Map<string, ReadonlySet<string>>();
  /** The tables that are being read. */
  readonly #reading = new Map<string, Promise<readonly string[]>>();

  /** Reads nothing yet. */
  constructor(database: Pick<Database, "describe">) {
    this.#database = database;
  }

  /**
   * Makes sure that a table has these columns, names compared exactly.
   *
   * @throws {RefusedWriteError} It has not; the message names what is missing and may be meant.
   */
  require(table: string, columns: readonly string[]): void | Promise<void> {
    if (this.#has(table, columns)) return;
    const begun = this.#reading.get(table);
    // What began before may be older than a column, so only what it has is taken from it.
    return begun === undefined
      ? this.#look(table, columns)
      : begun.then(() => this.#has(table, columns) ? undefined : this.#look(table, columns));
  }

  #has(table: string, columns: readonly string[]): boolean {
    const kept = this.#known.get(table);
    return kept !== undefined && columns.every((column) => kept.has(column));
  }

  #look(table: string, columns: readonly string[]): void | Promise<void> {
    const found = this.#reading.get(table) ?? this.#database.describe(table);
    if (!(found instanceof Promise)) return this.#check(table, columns, found);
    // Many writes may wait for the same table: it is read once for all of them.
    if (!this.#reading.has(table)) this.#share(table, found);
    return found.then((known) => this.#check(table, columns, known));
  }

  #share(table: string, reading: Promise<readonly string[]>): void {
    const forget = () => void this.#reading.delete(table);
    this.#reading.set(table, reading);
    reading.then(forget, forget);
  }

  /** The name that is probably meant by one that the database does not know. */
  hint({ unknown }: Explanation): string | undefined {
    if (unknown === undefined) return undefined;
    if (unknown.known !== undefined) {
      return didYouMean(unknown.name, unknown.known.filter(isTarget));
    }
    const tables = this.#database.describe();
    if (tables instanceof Promise) return undefined;
    const targets = tables.filter(isTarget);
    if (unknown.kind === "table") return didYouMean(unknown.name, targets);
    const columns = targets.flatMap((table) => {
      const found = this.#database.describe(table);
      return found instanceof Promise ? [] : found;
    });
    return didYouMean(unknown.name, columns);
  }

  #check(
    table: string,
    columns: readonly string[],
    found: readonly string[],
  ): void | Promise<void> {
    if (found.length === 0 || !isTarget(table)) {
      const tables = this.#database.describe();
      const refuse = (known: readonly string[]): never => {
        const hint = didYouMean(table, known.filter(isTarget));
        throw new RefusedWriteError(`there is no table ${quoted(table)}`, hint, "table");
      };
      return tables instanceof Promise ? tables.then(refuse) : refuse(tables);
    }
    const known = new Set(found);
    this.#known.set(table, known);
    const absent = columns.find((column) => !known.has(column));
    if (absent === undefined) return;
    const reason = `there is no column ${quoted(absent)} in table ${quoted(table)}`;
    throw new RefusedWriteError(reason, didYouMean(absent, known), "column");
  }
}

/** Whether a table is none of the connector's own. */
export function isTarget(table: string): boolean {
  // Also behind the name of a schema.
  return !OWN.includes(table.slice(table.lastIndexOf(".") + 1));
}
