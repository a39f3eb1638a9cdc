/** An open SQLite database that writes are made to. */
import { quoted } from "../../../../base/shown.ts";
import { isObject } from "../../../../base/json.ts";
import { resolve } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { Cancellable, Logger, WriteRequest } from "../../../../contract/connector.ts";
import { ConnectorError } from "../../../../base/errors.ts";
import { didYouMean } from "../../../../base/nearest.ts";
import type { DatabaseDestination } from "../../options.ts";
import { Catalog } from "./catalog.ts";
import { CommitQueue } from "./commits.ts";
import { resultCode, SQLITE, toConnectorError } from "./failures.ts";
import { DatabaseFiles } from "./file.ts";
import { Keys } from "./keys.ts";
import { migrate, type Migration, MigrationError } from "./migrations.ts";
import { type Plan, Plans, type ReadElsewhere } from "./plans.ts";
import { CannotStart, ReadBroken } from "./reader.ts";
import { Readers } from "./readers.ts";
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
  /** Gets a warning where slow reads will block this process. */
  readonly logger: Logger;
}

/** An open SQLite database that writes are made to. */
export class Session {
  /** The files that it is in; undefined for one in memory. */
  readonly files: DatabaseFiles | undefined;
  readonly #connector: string;
  readonly #logger: Logger;
  readonly #database: DatabaseSync;
  readonly #catalog: Catalog;
  readonly #plans: Plans;
  readonly #commits: CommitQueue;
  readonly #keys: Keys;
  /** For reads that may take long; undefined where no other connection could do them. */
  #readers: Readers | undefined;

  /**
   * Opens the database and applies its migrations.
   *
   * @throws {ConnectorError} It cannot be opened or a migration is refused; permanent unless the
   * database is locked or its disk is in trouble at the moment.
   */
  constructor({ connector, database, migrations, patience, logger }: SessionOptions) {
    this.#connector = connector;
    this.#logger = logger;
    this.#database = openDatabase(connector, database);
    try {
      const { shared, hasLog } = configure(this.#database);
      if (shared) this.#readers = new Readers({ database: resolve(database), patience });
      migrate(this.#database, migrations);
      this.#database.prepare("PRAGMA foreign_keys = ON").run();
      this.#catalog = new Catalog(this.#database);
      this.#plans = new Plans(this.#database, this.#catalog);
      this.#commits = new CommitQueue(this.#database, patience, () => this.#confirm());
      this.#keys = new Keys(this.#database);
      if (database !== ":memory:") this.files = new DatabaseFiles(database, hasLog);
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

  /** Finishes the writes that have been asked for, cancels reads and closes the database. */
  async close(): Promise<void> {
    // SQLite tidies up when its last connection is closed, which must be one that may write.
    await Promise.all([this.#commits.drain(), this.#readers?.close()]);
    this.#database.close();
  }

  /** What was committed to a file that is at no path is lost, so its writes must fail. */
  #confirm(): void {
    const trouble = this.files?.look();
    if (trouble !== undefined) throw new LostFile(trouble);
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
    const values = plan.names.map((name) => this.#bind(payload[name], `column ${quoted(name)}`));
    return this.#commit(() => plan.run(values), `${operation} ${quoted(target)}`);
  }

  #runQuery({ options, payload, scope }: WriteRequest<DatabaseDestination>, text: string): unknown {
    const plan = this.#try("query", () => this.#plans.query(options, text));
    const { names, reads, run } = plan;
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
    if (!reads) return this.#commit(() => run(values), "query");
    if (plan.elsewhere !== undefined && this.#readers !== undefined) {
      return this.#readElsewhere(plan, plan.elsewhere, values, this.#readers);
    }
    return this.#try("query", () => run(values));
  }

  #readElsewhere(
    { run }: Plan,
    { sql, first, result }: ReadElsewhere,
    values: readonly SQLInputValue[],
    readers: Readers,
  ): Cancellable {
    const reading = readers.read({ sql, values, first });
    const ended = reading.then(result, (error) => {
      if (error instanceof CannotStart) {
        this.#readHere(error);
        return this.#try("query", () => run(values));
      }
      throw this.#failure("query", error);
    });
    return Object.assign(ended, { cancel: () => reading.cancel() });
  }

  /** From now on every read is done here, and stalls everything for as long as it takes. */
  #readHere({ message }: CannotStart): void {
    if (this.#readers === undefined) return;
    this.#readers = undefined;
    this.#logger.warn(
      "reads that take long will hold everything up, since they cannot be done in another process: {reason}",
      { reason: message },
    );
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
    if (error instanceof LostFile || error instanceof ReadBroken) {
      return new ConnectorError(this.#connector, `${what}: ${error.message}`, { cause: error });
    }
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

/** What was made of a database when it was opened. */
interface Configured {
  /** Other connections can read while this one writes. */
  readonly shared: boolean;
  /** It has a write-ahead log beside it. */
  readonly hasLog: boolean;
}

function configure(database: DatabaseSync): Configured {
  database.prepare(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`).run();
  const { hasLog, readOnly } = setLog(database);
  // A commit is on the disk when it returns.
  database.prepare("PRAGMA synchronous = FULL").run();
  return { shared: hasLog || readOnly, hasLog };
}

function setLog(database: DatabaseSync): { readonly hasLog: boolean; readonly readOnly: boolean } {
  try {
    const found = database.prepare("PRAGMA journal_mode = WAL").get();
    // The log of a new database is made when something is read.
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return { hasLog: found?.journal_mode === "wal", readOnly: false };
  } catch (error) {
    // A file that may only be read can be served as it is.
    if (resultCode(error) !== SQLITE.READONLY) throw error;
    return { hasLog: false, readOnly: true };
  }
}

/** The file is not where it was opened. */
class LostFile extends Error {
  override readonly name = "LostFile";
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}
