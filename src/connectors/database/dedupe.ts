/** Keys of handled events, in a table that is made when the first is kept. */
import type { DedupeStore } from "../../contract/cluster.ts";
import type { Database, Dialect, Result, Statement, Step, Transaction } from "./driver.ts";

/** The table of the keys. */
export const KEYS_TABLE = "_weir_keys";

/** How many expired keys a new key removes: more than one, so that they cannot pile up. */
const MOST_REMOVED = 10;

/** Prepared when the table exists. */
interface Statements {
  readonly find: Statement;
  readonly removeExpired: Statement;
  readonly insert: Statement;
}

/** Keeps keys in a database. */
export class DedupeKeys implements DedupeStore {
  readonly #database: Database;
  readonly #error: (cause: unknown) => Error;
  #statements: Statements | undefined;
  #making: Promise<Statements> | undefined;

  /** Makes no table yet. `error` makes the error of a read or write that failed. */
  constructor(database: Database, error: (cause: unknown) => Error) {
    this.#database = database;
    this.#error = error;
  }

  /** Returns no promise where the database answers at once. */
  has(flow: string, key: string, now: number): boolean | Promise<boolean> {
    const fail = (cause: unknown): never => {
      throw this.#error(cause);
    };
    try {
      const statements = this.#statements ?? this.#look();
      const found = statements instanceof Promise
        ? statements.then((those) => this.#find(those, flow, key, now))
        : this.#find(statements, flow, key, now);
      return found instanceof Promise ? found.catch(fail) : found;
    } catch (cause) {
      return fail(cause);
    }
  }

  /** Resolves once the key is durable. Removes some of the keys that have expired at `now`. */
  async add(flow: string, key: string, now: number, until: number): Promise<void> {
    const known = this.#statements;
    const { removeExpired, insert } = known ?? await this.#lookOrMake();
    try {
      await Promise.all([
        this.#run({ statement: removeExpired, values: [now] }),
        this.#run({ statement: insert, values: [flow, key, until] }),
      ]);
    } catch (cause) {
      this.#statements = undefined;
      const dropped = this.#database.explain(cause).unknown?.name === KEYS_TABLE;
      if (known === undefined || !dropped) throw this.#error(cause);
      await this.add(flow, key, now, until);
    }
  }

  #find(
    statements: Statements | undefined,
    flow: string,
    key: string,
    now: number,
  ): boolean | Promise<boolean> {
    if (statements === undefined) return false;
    const result = this.#database.query(statements.find, [flow, key, now]);
    return "then" in result ? Promise.resolve(result).then(hasRow) : hasRow(result);
  }

  /** Prepares the statements where the table exists; undefined where it does not. */
  #look(): Statements | undefined | Promise<Statements | undefined> {
    const prepare = (columns: readonly string[]): Statements | undefined =>
      columns.length === 0 ? undefined : this.#prepare();
    const columns = this.#database.describe(KEYS_TABLE);
    return columns instanceof Promise ? columns.then(prepare) : prepare(columns);
  }

  async #lookOrMake(): Promise<Statements> {
    try {
      const found = await this.#look();
      if (found !== undefined) return found;
      return await (this.#making ??= this.#make().finally(() => this.#making = undefined));
    } catch (cause) {
      throw this.#error(cause);
    }
  }

  async #make(): Promise<Statements> {
    for (const sql of creation(this.#database.dialect)) {
      // An index cannot be prepared before its table exists.
      const statement = this.#database.prepare(sql, { rows: "none", background: false });
      await this.#run({ statement, values: [] });
    }
    return this.#prepare();
  }

  #prepare(): Statements {
    const { dialect } = this.#database;
    const prepare = (sql: string, rows: "none" | "first") =>
      this.#database.prepare(sql, { rows, background: false });
    const { table, flow, key, until } = names(dialect);
    const [first, second, third] = [1, 2, 3].map((position) => dialect.placeholder(position));
    // In a table of its own, since MySQL takes no LIMIT in a subquery of IN.
    const expired = `SELECT ${flow}, ${key} FROM ${table} WHERE ${until} <= ${first} ` +
      `ORDER BY ${until} LIMIT ${MOST_REMOVED}`;
    return this.#statements = {
      find: prepare(
        `SELECT 1 FROM ${table} WHERE ${flow} = ${first} AND ${key} = ${second} ` +
          `AND ${until} > ${third}`,
        "first",
      ),
      removeExpired: prepare(
        `DELETE FROM ${table} WHERE (${flow}, ${key}) IN (SELECT * FROM (${expired}) AS expired)`,
        "none",
      ),
      insert: prepare(
        `INSERT INTO ${table} (${flow}, ${key}, ${until}) VALUES (${first}, ${second}, ${third})` +
          dialect.upsert(["flow", "key"], ["until"]),
        "none",
      ),
    };
  }

  #run(step: Step): Promise<void> {
    const transaction: Transaction<void> = {
      steps: [step],
      result: () => undefined,
      error: (cause) => cause as Error,
    };
    return this.#database.transaction(transaction);
  }
}

function names({ quoteName }: Dialect) {
  return {
    table: quoteName(KEYS_TABLE),
    flow: quoteName("flow"),
    key: quoteName("key"),
    until: quoteName("until"),
  };
}

/** The statements that make the table; they do nothing where it exists. */
function creation(dialect: Dialect): readonly string[] {
  const { table, flow, key, until } = names(dialect);
  const text = `${dialect.keyType} NOT NULL`;
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (${flow} ${text}, ${key} ${text}, ` +
    `${until} DOUBLE PRECISION NOT NULL, PRIMARY KEY (${flow}, ${key}))`,
    `CREATE INDEX IF NOT EXISTS ${dialect.quoteName(`${KEYS_TABLE}_until`)} ` +
    `ON ${table} (${until})`,
  ];
}

function hasRow(result: Result): boolean {
  return !("changes" in result) && result.length > 0;
}
