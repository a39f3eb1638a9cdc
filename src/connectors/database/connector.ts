/** A database connector at work: opened and migrated at the start, tried again where it is away. */
import { messageOf } from "../../base/shown.ts";
import { ConnectorError } from "../../base/errors.ts";
import { retryDelay, type RetryDelays } from "../../base/retry.ts";
import type { DedupeStore } from "../../contract/cluster.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  Transaction,
  WriteRequest,
} from "../../contract/connector.ts";
import type { Measured, Measures } from "../../contract/metrics.ts";
import type { DatabaseSource, MakeSource } from "./changes/source.ts";
import { DedupeKeys } from "./dedupe.ts";
import type { Database, DriverContext, DriverModule, Migration } from "./driver.ts";
import type { DatabaseDestination, DatabaseOptions } from "./options.ts";
import type { ProbeRequest, ProbeSource } from "../../contract/probe.ts";
import { Requests } from "./requests.ts";
import { OpenTransaction } from "./transaction.ts";

/** The delays between attempts to open a database. */
const OPENING: RetryDelays = { delay: 250, maxDelay: 5000, backoff: "exponential" };

/** How many milliseconds `prepare` waits for a database that is away or locked. */
const PREPARING = 5_000;

/** What works on an open database. */
interface Parts {
  readonly database: Database;
  readonly requests: Requests;
  readonly keys: DedupeKeys;
}

/** Reads from and writes to a database, keeps dedupe keys in it, and starts flows with its changes. */
export class DatabaseConnector implements Connector, Measured {
  /** For `dedupe`; like writes they fail while the database is not open. */
  readonly dedupeStore: DedupeStore = {
    has: (flow, key, now) => this.#opened().keys.has(flow, key, now),
    add: (...entry) => this.#opened().keys.add(...entry),
    prepare: (now) => this.#opened().keys.prepare(now),
    answer: (flow, key, now) => this.#opened().keys.answer(flow, key, now),
  };
  readonly #module: DriverModule;
  readonly #options: DatabaseOptions;
  readonly #context: ConnectorContext;
  #parts: Parts | undefined;
  /** Why the database is not open. */
  #reason = "has not been opened yet";
  #retry: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  #started: Promise<void> | undefined;
  /** Undefined where the database has no changes that could start flows. */
  readonly #source: DatabaseSource | undefined;
  #consuming = false;

  /** Touches nothing before `start`. `makeSource` is absent where no changes can start flows. */
  constructor(
    module: DriverModule,
    options: DatabaseOptions,
    context: ConnectorContext,
    makeSource?: MakeSource,
  ) {
    this.#module = module;
    this.#options = options;
    this.#context = context;
    const { name, logger, clock, cluster, hasBackplane } = context;
    const database = () => this.#opened().database;
    this.#source = makeSource?.({
      name,
      logger,
      clock,
      cluster,
      hasBackplane,
      options,
      database,
    });
  }

  /** Adds a flow that changes start. */
  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#source?.subscribe(operation, handler);
  }

  /**
   * Opens the database and applies the migrations. Returns where the database is away or locked, too:
   * `health()` says so then, and it tries again.
   *
   * @throws {ConnectorError} It never can: wrong credentials, a refused migration, not a database.
   */
  async start(): Promise<void> {
    await (this.#started ??= this.#start(0));
    if (this.#parts !== undefined) await this.#source?.start();
  }

  /**
   * Opens and migrates: another connection to the same database disturbs nobody. Waits for a lock, so
   * that a migration that the database refuses is found before the other service is closed.
   *
   * @throws {ConnectorError} As `start`.
   */
  async prepare(): Promise<void> {
    await (this.#started ??= this.#start(PREPARING));
    if (this.#parts !== undefined) await this.#source?.check();
  }

  /** Begins to read changes if there are flows for them, now or once the database is open. */
  async consume(): Promise<void> {
    this.#consuming = true;
    if (this.#parts !== undefined) await this.#source?.read();
  }

  async stop(): Promise<void> {
    await this.#source?.stop();
  }

  async drain(): Promise<void> {
    await this.#source?.drain();
  }

  async #start(patience: number): Promise<void> {
    const deadline = performance.now() + patience;
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#open();
      } catch (error) {
        if (!(error instanceof ConnectorError) || error.permanent) throw error;
        const delay = retryDelay(attempt, OPENING);
        if (performance.now() + delay > deadline) return this.#tryAgain(error, attempt);
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
  }

  /**
   * Looks at the database without changing it, and has it compile the statements of the requests.
   *
   * @throws {ConnectorError} There is none, or its migrations cannot be read.
   */
  async probe(
    requests: readonly ProbeRequest[] = [],
    sources: readonly ProbeSource[] = [],
  ): Promise<string> {
    const context = await this.#driverContext();
    // The schema of options.ts made the options.
    const asked = requests as readonly ProbeRequest<DatabaseDestination>[];
    const { inspectRequests } = await import("./inspection/requests.ts");
    let pending = 0;
    const found = await this.#module.probeDatabase(context, (database) => {
      ({ pending } = database);
      return inspectRequests(database, asked);
    });
    // A migration may make the tables.
    await this.#source?.probe(sources, pending === 0);
    return found;
  }

  /**
   * Writes or reads. Returns the rows of a query that only reads and is quick, a promise for all else.
   * The promise of a read is `Cancellable`.
   *
   * @throws {ConnectorError} Permanent where it can never succeed, such as an unknown column.
   */
  write(request: WriteRequest): unknown {
    // The schema of options.ts made the options.
    return this.#opened().requests.write(request as WriteRequest<DatabaseDestination>);
  }

  /**
   * Calls `work` in a transaction of the database.
   *
   * @throws {ConnectorError} As `write`.
   */
  transact<T>(work: (transaction: Transaction) => T | PromiseLike<T>): PromiseLike<T> {
    const { requests, keys } = this.#opened();
    return requests.transact((session) => work(new OpenTransaction(requests, keys, session)));
  }

  /** Finishes the writes that have begun, cancels the reads, then closes the database. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const parts = this.#parts;
    this.#parts = undefined;
    await this.#source?.close();
    await parts?.database.close();
  }

  /** Why the database cannot be used, or its changes not be read; undefined when all is well. */
  health(): string | undefined {
    return this.#lack() ?? this.#source?.health();
  }

  /** Numbers of what its changes started; none where they start nothing. */
  counts(): Readonly<Record<string, number>> {
    return this.#source?.counts() ?? {};
  }

  /** Commits, connections and reconnects of its database; nothing while that is not open. */
  measures(): Measures {
    return this.#parts?.database.measures?.() ?? {};
  }

  #lack(): string | undefined {
    return this.#parts === undefined ? this.#reason : this.#parts.database.health();
  }

  #opened(): Parts {
    const reason = this.#closed ? "is closed" : this.#lack();
    if (this.#parts !== undefined && reason === undefined) return this.#parts;
    throw new ConnectorError(this.#context.name, String(reason));
  }

  async #open(): Promise<void> {
    const context = await this.#driverContext();
    if (this.#closed) return;
    const database = await this.#module.openDatabase(context);
    if (this.#closed) return await database.close();
    const requests = new Requests(this.#context.name, database);
    const error = (cause: unknown) => requests.error("dedupe", cause);
    const keys = new DedupeKeys(database, this.#context.logger, error);
    this.#parts = { database, requests, keys };
    if (this.#consuming) await this.#source?.read();
  }

  #tryAgain(error: unknown, attempt: number): void {
    if (this.#closed) return;
    const { logger } = this.#context;
    this.#reason = messageOf(error);
    if (error instanceof ConnectorError && error.permanent) {
      logger.error("failed to open the database; giving up: {reason}", { reason: this.#reason });
      return;
    }
    const delay = retryDelay(attempt, OPENING);
    logger.warn("failed to open the database; trying again in {delay} ms: {reason}", {
      delay,
      reason: this.#reason,
    });
    const opened = () => {
      if (this.#parts !== undefined) logger.info("the database is open");
    };
    const again = () => this.#open().then(opened, (e) => this.#tryAgain(e, attempt + 1));
    this.#retry = setTimeout(again, delay);
  }

  async #driverContext(): Promise<DriverContext> {
    const { name, logger, clock, played } = this.#context;
    const migrations = await this.#readMigrations();
    const { simulated } = this.#options;
    return {
      ...{ name, logger, options: this.#options, migrations },
      ...(simulated && { clock, played }),
    };
  }

  async #readMigrations(): Promise<readonly Migration[]> {
    const { migrations: folder } = this.#options;
    if (folder === undefined) return [];
    const { cluster, name } = this.#context;
    const read = async () => (await import("./migration-files.ts")).readMigrations(folder);
    const reading = cluster?.readOnce("migrations", read) ?? read();
    return await reading.catch((cause) => {
      const message = `cannot read the migrations in "${folder}": ${cause.message}`;
      throw new ConnectorError(name, message, { code: "migration-failed", cause, permanent: true });
    });
  }
}
