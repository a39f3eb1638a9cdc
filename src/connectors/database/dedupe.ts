/** Keys of handled events, in a table that is made when the first is kept. */
import type { DedupeStore } from "../../contract/cluster.ts";
import type { Logger } from "../../contract/connector.ts";
import type { Database, Dialect, Result, Statement, Step, Transaction } from "./driver.ts";

/** The table of the keys. */
export const KEYS_TABLE = "_weir_keys";

/** Expired keys are removed with every nth new key, and with the first one of each second. */
const REMOVE_EVERY = 16;
const REMOVE_AFTER = 1000;
/** How many are removed at once: more than are added meanwhile, so that they cannot pile up. */
const MOST_REMOVED = 40;

/** Prepared when the table exists. */
interface Statements {
  readonly find: Statement;
  readonly removeExpired: Statement;
  readonly insert: Statement;
}

/** Keeps keys in a database. */
export class DedupeKeys implements DedupeStore {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #error: (cause: unknown) => Error;
  /** How many keys were added since expired ones were last removed, and the time of that. */
  #added = 0;
  #removed = -Infinity;
  #statements: Statements | undefined;
  #making: Promise<Statements> | undefined;

  /** Makes no table yet. `error` makes the error of a read or write that failed. */
  constructor(database: Database, logger: Logger, error: (cause: unknown) => Error) {
    this.#database = database;
    this.#logger = logger;
    this.#error = error;
  }

  /** Returns no promise where the database answers at once. */
  has(flow: string, key: string, now: number): boolean | Promise<boolean> {
    const fail = (cause: unknown): false => {
      if (!this.#isDropped(cause)) throw this.#error(cause);
      this.#statements = undefined;
      return false;
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

  /** Resolves once the key is durable. Now and then, removes keys that have expired at `now`. */
  async add(flow: string, key: string, now: number, until: number): Promise<void> {
    const known = this.#statements;
    const { removeExpired, insert } = known ?? await this.#lookOrMake();
    // In the same tick, so that both share a commit.
    const removing = this.#removalIsDue(now)
      ? this.#run({ statement: removeExpired, values: [now] }).catch((cause) => cause)
      : undefined;
    try {
      await this.#run({ statement: insert, values: [flow, key, until] });
    } catch (cause) {
      this.#statements = undefined;
      if (known === undefined || !this.#isDropped(cause)) throw this.#error(cause);
      return await this.add(flow, key, now, until);
    }
    const failure = await removing;
    if (failure !== undefined) this.#warn(failure);
  }

  #removalIsDue(now: number): boolean {
    if (++this.#added < REMOVE_EVERY && now - this.#removed < REMOVE_AFTER) return false;
    this.#added = 0;
    this.#removed = now;
    return true;
  }

  /** The key itself is durable, and the next removal tries again. */
  #warn(cause: unknown): void {
    const { reason } = this.#database.explain(cause);
    this.#logger.warn("failed to remove expired dedupe keys: {reason}", { reason });
  }

  #isDropped(cause: unknown): boolean {
    return this.#database.explain(cause).unknown?.name === KEYS_TABLE;
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
