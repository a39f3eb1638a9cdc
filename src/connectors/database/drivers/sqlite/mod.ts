/** SQLite as a connector: opened and migrated at the start, tried again where it is locked. */
import type { DedupeStore } from "../../../../contract/cluster.ts";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Connector, ConnectorContext, WriteRequest } from "../../../../contract/connector.ts";
import { ConnectorError } from "../../../../base/errors.ts";
import { retryDelay, type RetryDelays } from "../../../../base/retry.ts";
import type { DatabaseDestination } from "../../options.ts";
import type { DatabaseFiles } from "./file.ts";
import { type Migration, readMigrations } from "./migrations.ts";
import { probeDatabase } from "./probe.ts";
import { Session } from "./session.ts";

/** What the connector is made of. */
export interface SqliteOptions {
  /** A path or `:memory:`. */
  readonly database: string;
  /** A folder of `*.sql` files; undefined for none. */
  readonly migrations?: string | undefined;
  /** How many milliseconds a write waits for another process's lock: 5000 by default. */
  readonly patience?: number;
}

/** The delays between tries to open a database that is locked. */
const OPENING: RetryDelays = { delay: 250, maxDelay: 5000, backoff: "exponential" };
/** Milliseconds between two looks at whether the files are still there. */
const LOOK = 1000;

/** Writes to an SQLite database, answers steps from it and keeps keys in it. */
export class SqliteConnector implements Connector {
  /** For `dedupe`; like writes they fail while the database is not open. */
  readonly dedupeStore: DedupeStore = {
    has: (flow, key, now) => this.#opened().hasKey(flow, key, now),
    add: (flow, key, now, until) => this.#opened().addKey(flow, key, now, until),
  };
  readonly #options: SqliteOptions;
  readonly #context: ConnectorContext;
  #session: Session | undefined;
  #trouble: string | undefined = "has not been started";
  #retry: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  #closed = false;
  /** What the log says of the files. */
  #reported: string | undefined;

  /** Touches nothing before `start`. */
  constructor(options: SqliteOptions, context: ConnectorContext) {
    this.#options = options;
    this.#context = context;
  }

  /**
   * Makes the folder, opens the database and applies the migrations. Returns where the database is
   * locked or its disk in trouble, too: `health()` says so then, and it is tried again.
   *
   * @throws {ConnectorError} It never can: no such folder, a refused migration, no SQLite file.
   */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof ConnectorError) || error.permanent) throw error;
      this.#tryAgain(error, 1);
    }
  }

  /**
   * Looks at the file without changing it; one that is not there yet is no failure.
   *
   * @throws {ConnectorError} It is no database, or its migrations cannot be read.
   */
  async probe(): Promise<string> {
    const migrations = await this.#readMigrations();
    return await probeDatabase(this.#context.name, this.#options.database, migrations);
  }

  /**
   * Writes; returns the rows of a query that only reads and cannot take long, a promise for all
   * else. That of a read is `Cancellable`.
   *
   * @throws {ConnectorError} Permanent where it can never succeed, such as an unknown column.
   */
  write(request: WriteRequest): unknown {
    // The schema of options.ts made the options.
    return this.#opened().write(request as WriteRequest<DatabaseDestination>);
  }

  /** Finishes the writes that have begun, cancels the reads, then closes the database. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#looking);
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  /** Why it is not open, or that a file of it is not there any more; undefined when all is well. */
  health(): string | undefined {
    return this.#session === undefined ? this.#trouble : this.#session.files?.trouble;
  }

  #opened(): Session {
    const trouble = this.#closed ? "is closed" : this.health();
    if (this.#session !== undefined && trouble === undefined) return this.#session;
    throw new ConnectorError(this.#context.name, String(trouble));
  }

  async #open(): Promise<void> {
    const { database, patience = 5000 } = this.#options;
    const migrations = await this.#readMigrations();
    if (database !== ":memory:") await this.#makeFolder(dirname(database));
    if (this.#closed) return;
    const connector = this.#context.name;
    const { logger } = this.#context;
    this.#session = new Session({ connector, database, migrations, patience, logger });
    const { files } = this.#session;
    if (files !== undefined) this.#looking = setInterval(() => this.#look(files), LOOK).unref();
  }

  #look(files: DatabaseFiles): void {
    const trouble = files.look();
    if (trouble === this.#reported) return;
    this.#reported = trouble;
    if (trouble !== undefined) this.#context.logger.error("{trouble}", { trouble });
    else this.#context.logger.info("the files of the database are there again");
  }

  #tryAgain(error: unknown, attempt: number): void {
    if (this.#closed) return;
    this.#trouble = error instanceof Error ? error.message : String(error);
    if (error instanceof ConnectorError && error.permanent) {
      this.#context.logger.error("{trouble}; not tried again", { trouble: this.#trouble });
      return;
    }
    const delay = retryDelay(attempt, OPENING);
    this.#context.logger.warn("{trouble}; tried again in {delay} ms", {
      trouble: this.#trouble,
      delay,
    });
    const again = () => this.#open().catch((e) => this.#tryAgain(e, attempt + 1));
    this.#retry = setTimeout(again, delay);
  }

  async #readMigrations(): Promise<readonly Migration[]> {
    const { migrations } = this.#options;
    if (migrations === undefined) return [];
    const read = () => readMigrations(migrations);
    const reading = this.#context.cluster?.readOnce("migrations", read) ?? read();
    return await reading.catch((cause) => {
      throw this.#refusal(`cannot read the migrations in "${migrations}"`, cause);
    });
  }

  async #makeFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true }).catch((cause) => {
      throw this.#refusal(`cannot make the folder "${folder}"`, cause);
    });
  }

  #refusal(what: string, cause: Error): ConnectorError {
    const message = `${what}: ${cause.message}`;
    return new ConnectorError(this.#context.name, message, { cause, permanent: true });
  }
}
