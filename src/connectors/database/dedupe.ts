/** Keys of handled events and the answers to them, in a table that is made when the first is kept. */
import { isPromiseLike } from "../../base/promise-like.ts";
import type { DedupeStore } from "../../contract/cluster.ts";
import type { Logger } from "../../contract/connector.ts";
import { ANSWER, creation, KEYS_TABLE, keysSql, names } from "./dedupe-table.ts";
import type { Database, Result, Row, Session, Statement, Step, Transaction } from "./driver.ts";

/** Expired keys are removed with every nth new key, and with the first one of each second. */
const REMOVE_EVERY = 16;
const REMOVE_AFTER = 1000;

/** Prepared when the table exists. */
interface Statements {
  readonly find: Statement;
  readonly removeExpired: Statement;
  /** Removes one key if it has expired. */
  readonly forget: Statement;
  /** Undefined as long as the table has no column for answers. */
  readonly answers: {
    readonly find: Statement;
    readonly upsert: Statement;
    /** Fails where the key is there. */
    readonly insert: Statement;
  } | undefined;
}

/** Prepared when the table has its column for answers. */
type AllStatements = Statements & { readonly answers: object };

/** Keeps keys in a database. */
export class DedupeKeys implements DedupeStore {
  readonly #database: Database;
  readonly #logger: Logger;
  readonly #error: (cause: unknown) => Error;
  /** How many keys were added since expired ones were last removed, and the time of that. */
  #added = 0;
  #removed = -Infinity;
  #statements: Statements | undefined;
  #making: Promise<AllStatements> | undefined;

  /** Makes no table yet. `error` makes the error of a read or write that failed. */
  constructor(database: Database, logger: Logger, error: (cause: unknown) => Error) {
    this.#database = database;
    this.#logger = logger;
    this.#error = error;
  }

  /** Returns no promise where the database answers at once. */
  has(flow: string, key: string, now: number): boolean | Promise<boolean> {
    const find = ({ find }: Statements) => find;
    const rows = this.#read(find, [flow, key, now]);
    return rows instanceof Promise ? rows.then(isFilled) : isFilled(rows);
  }

  /** Returns no promise where the database answers at once. */
  answer(
    flow: string,
    key: string,
    now: number,
  ): string | undefined | Promise<string | undefined> {
    // Another process may have added the column meanwhile.
    if (this.#statements?.answers === undefined) this.#statements = undefined;
    const rows = this.#read(({ answers }) => answers?.find, [flow, key, now]);
    return rows instanceof Promise ? rows.then(firstAnswer) : firstAnswer(rows);
  }

  /** Resolves once the key is durable. Now and then, removes keys that have expired at `now`. */
  async add(
    flow: string,
    key: string,
    now: number,
    until: number,
    answer?: string,
  ): Promise<void> {
    const known = this.#statements;
    const { removeExpired, answers: { upsert } } = hasAnswers(known)
      ? known
      : await this.#lookOrMake();
    // In the same tick, so that both share a commit.
    const removing = this.#removalIsDue(now)
      ? this.#run({ statement: removeExpired, values: [now] }).catch((cause) => cause)
      : undefined;
    try {
      await this.#run({ statement: upsert, values: [flow, key, until, answer ?? null] });
    } catch (cause) {
      this.#statements = undefined;
      if (!hasAnswers(known) || !await this.#isOutdated(cause)) throw this.#error(cause);
      return await this.add(flow, key, now, until, answer);
    }
    const failure = await removing;
    if (failure !== undefined) this.#warn(failure);
  }

  /** Makes the table. Now and then, removes keys that have expired at `now`. */
  prepare(now: number): void | Promise<void> {
    const removing = this.#removalIsDue(now);
    if (!removing && hasAnswers(this.#statements)) return;
    return this.#prepareTable(removing, now);
  }

  /** Keeps keys in a transaction, once `prepare` has resolved. Fails where a key is there. */
  within(session: Session): Pick<DedupeStore, "add"> {
    return {
      add: (flow, key, now, until, answer) => {
        const { forget, answers } = this.#statements ?? {};
        if (forget === undefined || answers === undefined) {
          throw this.#error(new Error("the table of keys is not ready"));
        }
        return this.#runAll(session, [
          { statement: forget, values: [flow, key, now] },
          { statement: answers.insert, values: [flow, key, until, answer ?? null] },
        ]);
      },
    };
  }

  async #prepareTable(removing: boolean, now: number): Promise<void> {
    const known = hasAnswers(this.#statements) ? this.#statements : await this.#lookOrMake();
    // Not in the transaction, where two of them might wait for each other's rows.
    const step = { statement: known.removeExpired, values: [now] };
    if (removing) await this.#run(step).catch((cause) => this.#warn(cause));
  }

  /** Runs statements one after the other; returns no promise where they are quick. */
  #runAll(session: Session, [step, ...rest]: readonly Step[]): void | Promise<void> {
    const fail = (cause: unknown): never => {
      if (this.#isDropped(cause)) this.#statements = undefined;
      throw this.#error(cause);
    };
    const next = () => rest.length === 0 ? undefined : this.#runAll(session, rest);
    let result: ReturnType<Session["run"]>;
    try {
      result = session.run(step.statement, step.values);
    } catch (cause) {
      return fail(cause);
    }
    return isPromiseLike(result) ? Promise.resolve(result).then(next, fail) : next();
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
    const name = this.#database.explain(cause).unknown?.name;
    return name === KEYS_TABLE || name === ANSWER;
  }

  /** Whether the table or its column is no longer there. */
  async #isOutdated(cause: unknown): Promise<boolean> {
    if (this.#isDropped(cause)) return true;
    try {
      return !(await this.#database.describe(KEYS_TABLE)).includes(ANSWER);
    } catch {
      return false;
    }
  }

  /** The rows of one of the statements; none where the table or its column does not exist. */
  #read(
    choose: (statements: Statements) => Statement | undefined,
    values: readonly unknown[],
  ): readonly Row[] | Promise<readonly Row[]> {
    const fail = (cause: unknown): readonly Row[] => {
      if (!this.#isDropped(cause)) throw this.#error(cause);
      this.#statements = undefined;
      return NO_ROWS;
    };
    const query = (statements: Statements | undefined) => {
      const statement = statements && choose(statements);
      if (statement === undefined) return NO_ROWS;
      const result = this.#database.query(statement, values);
      return "then" in result ? Promise.resolve(result).then(rowsOf) : rowsOf(result);
    };
    try {
      const statements = this.#statements ?? this.#look();
      const rows = statements instanceof Promise ? statements.then(query) : query(statements);
      return rows instanceof Promise ? rows.catch(fail) : rows;
    } catch (cause) {
      return fail(cause);
    }
  }

  /** Prepares the statements where the table exists; undefined where it does not. */
  #look(): Statements | undefined | Promise<Statements | undefined> {
    const prepare = (columns: readonly string[]): Statements | undefined => {
      if (columns.length === 0) return undefined;
      return columns.includes(ANSWER) ? this.#prepare() : this.#statements = this.#prepareKeys();
    };
    const columns = this.#database.describe(KEYS_TABLE);
    return columns instanceof Promise ? columns.then(prepare) : prepare(columns);
  }

  async #lookOrMake(): Promise<AllStatements> {
    try {
      const found = await this.#look();
      if (hasAnswers(found)) return found;
      const make = () => found === undefined ? this.#make() : this.#addColumn();
      return await (this.#making ??= make().finally(() => this.#making = undefined));
    } catch (cause) {
      throw this.#error(cause);
    }
  }

  async #make(): Promise<AllStatements> {
    for (const sql of creation(this.#database.dialect)) {
      // PostgreSQL refuses one of two that make the same at the same moment. Afterwards it is there.
      await this.#change(sql).catch(() => this.#change(sql));
    }
    return this.#prepare();
  }

  /** Changes a table that an earlier version has made. */
  async #addColumn(): Promise<AllStatements> {
    const { dialect } = this.#database;
    const { table, answer } = names(dialect);
    try {
      await this.#change(`ALTER TABLE ${table} ADD COLUMN ${answer} ${dialect.longTextType}`);
    } catch (cause) {
      // Another process may have been faster.
      if (!(await this.#database.describe(KEYS_TABLE)).includes(ANSWER)) throw cause;
    }
    return this.#prepare();
  }

  #change(sql: string): Promise<void> {
    // Not earlier: an index cannot be prepared before its table exists.
    return this.#run({ statement: this.#statement(sql, "none", []), values: [] });
  }

  #prepare(): AllStatements {
    const { findAnswer, insert, upsert } = keysSql(this.#database.dialect);
    const answers = {
      find: this.#statement(findAnswer, "first"),
      upsert: this.#statement(upsert),
      insert: this.#statement(insert),
    };
    return this.#statements = { ...this.#prepareKeys(), answers };
  }

  #prepareKeys(): Statements {
    const { find, removeExpired, forget } = keysSql(this.#database.dialect);
    return {
      find: this.#statement(find, "first"),
      removeExpired: this.#statement(removeExpired, "none", ["until"]),
      forget: this.#statement(forget),
      answers: undefined,
    };
  }

  #statement(
    sql: string,
    rows: "none" | "first" = "none",
    names: readonly string[] = ["flow", "key", "until", ANSWER],
  ): Statement {
    return this.#database.prepare(sql, { rows, background: false, names });
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

function hasAnswers(statements: Statements | undefined): statements is AllStatements {
  return statements?.answers !== undefined;
}

const NO_ROWS: readonly Row[] = [];

function rowsOf(result: Result): readonly Row[] {
  return "changes" in result ? NO_ROWS : result;
}

function isFilled(rows: readonly Row[]): boolean {
  return rows.length > 0;
}

function firstAnswer([row]: readonly Row[]): string | undefined {
  const answer = row?.[ANSWER];
  return typeof answer === "string" ? answer : undefined;
}
