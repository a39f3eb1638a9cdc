/** An open SQLite database that writes are made to. */
import { isObject } from "../../../json.ts";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { WriteRequest } from "../../../connector.ts";
import { ConnectorError } from "../../../errors.ts";
import { didYouMean } from "../../../nearest.ts";
import type { DatabaseDestination } from "../options.ts";
import { Catalog } from "./catalog.ts";
import { CommitQueue } from "./commits.ts";
import { resultCode, SQLITE, toConnectorError } from "./failures.ts";
import { Keys } from "./keys.ts";
import { migrate, type Migration, MigrationError } from "./migrations.ts";
import { Plans } from "./plans.ts";
import { toSql } from "./values.ts";

/** Milliseconds for which SQLite itself waits for a lock, all else standing still. */
const BUSY_TIMEOUT = 5;

/** What a session is opened with. */
export interface SessionOptions {
  /** The connector's name, for its errors. */
  readonly connector: string;
  /** A path or `:memory:`. */
  readonly database: string;
  /** In the order in which they are applied. */
  readonly migrations: readonly Migration[];
  /** How many milliseconds a write waits for another process's lock. */
  readonly patience: number;
}

/** An open SQLite database that writes are made to. */
export class Session {
  readonly #connector: string;
  readonly #database: DatabaseSync;
  readonly #catalog: Catalog;
  readonly #plans: Plans;
  readonly #commits: CommitQueue;
  readonly #keys: Keys;

  /**
   * Opens the database and applies its migrations.
   *
   * @throws {ConnectorError} It cannot be opened or a migration is refused; permanent unless the
   * database is locked or its disk is in trouble at the moment.
   */
  constructor({ connector, database, migrations, patience }: SessionOptions) {
    this.#connector = connector;
    this.#database = openDatabase(connector, database);
    try {
      configure(this.#database);
      migrate(this.#database, migrations);
      this.#database.prepare("PRAGMA foreign_keys = ON").run();
      this.#catalog = new Catalog(this.#database);
      this.#plans = new Plans(this.#database, this.#catalog);
      this.#commits = new CommitQueue(this.#database, patience);
      this.#keys = new Keys(this.#database);
    } catch (error) {
      this.#database.close();
      if (error instanceof MigrationError) {
        throw new ConnectorError(connector, error.message, { cause: error, permanent: true });
      }
      throw toConnectorError(connector, `cannot open "${database}"`, error);
    }
  }

  /**
   * Writes. Returns the rows of a query that only reads, a promise for all else.
   *
   * @throws {ConnectorError} Permanent where the request itself is wrong.
   */
  write(request: WriteRequest<DatabaseDestination>): unknown {
    return request.options.query === undefined
      ? this.#writeTable(request)
      : this.#runQuery(request, request.options.query);
  }

  /**
   * Whether a key of this flow stands at `now`.
   *
   * @throws {ConnectorError} It cannot be read.
   */
  hasKey(flow: string, key: string, now: number): boolean {
    return this.#try("dedupe", () => this.#keys.has(flow, key, now));
  }

  /**
   * Keeps a key; resolves once it is durable.
   *
   * @throws {ConnectorError} It cannot be written.
   */
  async addKey(flow: string, key: string, now: number, until: number): Promise<void> {
    await this.#commit(() => this.#keys.add(flow, key, now, until), "dedupe");
  }

  /** Finishes what has been asked for and closes the database. */
  async close(): Promise<void> {
    await this.#commits.drain();
    this.#database.close();
  }

  #writeTable(request: WriteRequest<DatabaseDestination>): Promise<unknown> {
    const { operation = "INSERT", target, payload, options: { key }, resultUsed = true } = request;
    if (target === undefined) throw this.#refusal(`${operation} needs a target, which is a table`);
    if (!isObject(payload)) {
      throw this.#refusal(`${operation} needs an object as payload, not ${kindOf(payload)}`);
    }
    const columns = Object.keys(payload);
    const wanted = { operation, table: target, key, columns, returning: resultUsed };
    const plan = this.#try(operation, () => this.#plans.table(wanted));
    const values = plan.names.map((name) => this.#bind(payload[name], `column "${name}"`));
    return this.#commit(() => plan.run(values), `${operation} "${target}"`);
  }

  #runQuery({ options, payload, scope }: WriteRequest<DatabaseDestination>, text: string): unknown {
    const { names, reads, run } = this.#try("query", () => this.#plans.query(options, text));
    const { params = {} } = options;
    const fields = isObject(payload) ? payload : {};
    const values = names.map((name) => {
      if (Object.hasOwn(params, name)) {
        const value = this.#try(`params.${name}`, () => params[name].evaluate(scope));
        return this.#bind(value, `parameter ":${name}"`);
      }
      if (Object.hasOwn(fields, name)) return this.#bind(fields[name], `parameter ":${name}"`);
      const hint = didYouMean(name, Object.keys(fields)) ?? "give it in params";
      throw this.#refusal(`the query's ":${name}" is in neither payload nor params; ${hint}`);
    });
    return reads ? this.#try("query", () => run(values)) : this.#commit(() => run(values), "query");
  }

  #commit(work: () => unknown, what: string): Promise<unknown> {
    return this.#commits.push(work, (error) => this.#failure(what, error));
  }

  #bind(value: unknown, what: string): SQLInputValue {
    try {
      return toSql(value);
    } catch (error) {
      throw this.#failure(what, error);
    }
  }

  #try<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (error) {
      throw this.#failure(what, error);
    }
  }

  #failure(what: string, error: unknown): ConnectorError {
    return toConnectorError(this.#connector, what, error, this.#catalog.hint(error));
  }

  #refusal(message: string): ConnectorError {
    return new ConnectorError(this.#connector, message, { permanent: true });
  }
}

function openDatabase(connector: string, database: string): DatabaseSync {
  try {
    return new DatabaseSync(database, {
      // Migrations come first.
      enableForeignKeyConstraints: false,
      enableDoubleQuotedStringLiterals: false,
    });
  } catch (cause) {
    // Deno's error has no code here, and a wrong path does not mend by itself.
    const message = `cannot open "${database}": ${(cause as Error).message}`;
    throw new ConnectorError(connector, message, { cause, permanent: true });
  }
}

function configure(database: DatabaseSync): void {
  database.prepare(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`).run();
  try {
    database.prepare("PRAGMA journal_mode = WAL").run();
  } catch (error) {
    // A file that may only be read can be served as it is.
    if (resultCode(error) !== SQLITE.READONLY) throw error;
  }
  // A commit is on the disk when it returns.
  database.prepare("PRAGMA synchronous = FULL").run();
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
