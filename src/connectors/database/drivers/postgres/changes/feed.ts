/** The changes of the tables of flows, from a replication slot, whatever happens to the connection. */
import { ConnectorError } from "../../../../../base/errors.ts";
import { retryDelay, type RetryDelays } from "../../../../../base/retry.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import type { ChangeFeed, ChangeFeedContext, ChangeSink, Position } from "../../../changes/feed.ts";
import type { TableName } from "../../../changes/operation.ts";
import { connect, disconnect } from "../connecting.ts";
import { explain, sqlState } from "../errors.ts";
import { readServer, type Server } from "../server.ts";
import { TypeCatalog } from "../types.ts";
import { Monitor } from "./monitor.ts";
import { quoteTable } from "./names.ts";
import { Pause } from "./pause.ts";
import { Reading } from "./reading.ts";
import { Preparation, type Setup } from "./setup.ts";
import { adviceFor, endLeftover } from "./slot.ts";

/** The delays after a stream was lost, or could not begin. */
const DELAYS: RetryDelays = { delay: 100, maxDelay: 2000, backoff: "exponential" };

/** Milliseconds between two looks at a slot that another instance has. */
const WAITING = 1000;

/** Milliseconds between two looks at the slot and the publication while changes are read. */
const LOOKING = 3000;

/** The code of the server for what does not exist, such as a publication. */
const UNDEFINED_OBJECT = "42704";

/** Milliseconds in which everything must have ended at the close. */
const CLOSING = 1000;

/** The changes of one connector. */
export class PostgresChangeFeed implements ChangeFeed {
  readonly #context: ChangeFeedContext;
  readonly #slot: string;
  readonly #publication: string;
  readonly #types = new TypeCatalog();
  readonly #monitor: Monitor;
  #server: Promise<Server> | undefined;
  /** The connector's user on the server. */
  #user = "";
  #preparation: Preparation | undefined;
  /** How events name a table, by how flows do, and by its name in SQL. */
  #names: ReadonlyMap<string, string> = new Map();
  #published: ReadonlyMap<string, string> = new Map();
  #reading: Reading | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  /** Between two attempts. */
  readonly #pause = new Pause();
  /** Why it does not read; undefined where it does, or another instance does. */
  #failure: string | undefined;
  /** What is wrong with some of the tables, that of dead letters included. */
  #problems = "";
  #gaps = 0;
  #lag = 0;
  /** The server's process that has streamed to this instance. */
  #backend: number | undefined;

  /** Connects to nothing yet. */
  constructor(context: ChangeFeedContext) {
    const { slot = "weir_app", publication = "weir_app" } = context.options.changes ?? {};
    this.#context = context;
    this.#slot = slot;
    this.#publication = publication;
    this.#monitor = new Monitor(() => this.#readServer());
  }

  async check(strict: boolean): Promise<void> {
    try {
      await this.#prepare({ strict, dry: true });
      await this.#tryReplication();
    } catch (error) {
      const found = this.#errorOf(error);
      this.#failure = found.message;
      throw found;
    }
  }

  async setUp(): Promise<void> {
    try {
      await this.#prepare({ strict: true });
    } catch (error) {
      const found = this.#errorOf(error);
      this.#failure = found.message;
      throw found;
    }
  }

  read(sink: ChangeSink): void {
    if (this.#running !== undefined) return;
    this.#failure ??= "has not begun to read changes";
    this.#running = this.#run(sink);
  }

  pause(): void {
    this.#reading?.pause();
  }

  resume(): void {
    if (!this.#stopped) this.#reading?.resume();
  }

  confirm(position: Position): void {
    this.#reading?.confirm(position);
  }

  nameOf({ written }: TableName): string | undefined {
    return this.#names.get(written);
  }

  stop(): void {
    this.#stopped = true;
    this.#reading?.pause();
    this.#pause.stop();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#reading?.close();
    await this.#monitor.close();
    // It may still wait for a flow, which a close does not.
    await withTimeout(this.#running ?? Promise.resolve(), CLOSING, () => undefined);
  }

  health(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return this.#problems === "" ? undefined : `cannot handle all changes: ${this.#problems}`;
  }

  counts(): { readonly gaps: number; readonly change_lag_bytes: number } {
    return { gaps: this.#gaps, change_lag_bytes: this.#lag };
  }

  async #run(sink: ChangeSink): Promise<void> {
    let attempt = 0;
    while (!this.#stopped) {
      try {
        const began = await this.#readOnce(sink);
        if (!began) {
          await this.#pause.wait(WAITING);
          continue;
        }
        attempt = 0;
      } catch (error) {
        if (this.#failure === undefined) attempt = 0;
        this.#failed(error);
      }
      await this.#pause.wait(retryDelay(++attempt, DELAYS, Math.random()));
    }
  }

  /** Reads until the stream is lost. Returns false where another instance reads. */
  async #readOnce(sink: ChangeSink): Promise<boolean> {
    const { slot: found } = await this.#prepare({});
    if (found?.active !== undefined) {
      // The server has not seen that the last connection is gone.
      const last = this.#backend;
      if (found.active !== last) return this.#waits();
      await this.#monitor.use((client) => endLeftover(client, this.#slot, last));
      this.#backend = undefined;
    }
    const reading = await this.#open(sink);
    this.#reading = reading;
    let looking: ReturnType<typeof setInterval> | undefined;
    try {
      if (this.#stopped) return true;
      await reading.start();
      this.#context.logger.info("reads changes from the slot {slot}", { slot: this.#slot });
      this.#failure = undefined;
      this.#backend = reading.backend;
      looking = setInterval(() => void this.#look(), LOOKING);
      const why = await reading.ended();
      if (!this.#stopped) await this.#lost(why);
      return true;
    } catch (error) {
      // Another instance was faster.
      if (sqlState(error) === "55006") return this.#waits();
      throw error;
    } finally {
      clearInterval(looking);
      this.#lag = 0;
      await reading.close();
      this.#reading = undefined;
      // What has not been delivered comes again, perhaps to another instance.
      await sink.begin();
    }
  }

  async #open(sink: ChangeSink): Promise<Reading> {
    return await Reading.open(await this.#readServer(), {
      slot: this.#slot,
      publication: this.#publication,
      types: this.#types,
      monitor: this.#monitor,
      sink,
      tableOf: (relation) => this.#published.get(quoteTable(relation)),
    });
  }

  /** The stream has ended while it was read. */
  async #lost(why: Error): Promise<never> {
    if (sqlState(why) === UNDEFINED_OBJECT) {
      // The server decodes with what there was at the time of a change: no publication of this name.
      const reason = "the publication had been dropped, or is newer than the slot; " +
        "what was not confirmed is given up";
      await this.#monitor.use(async (client) => await this.#preparation?.renewSlot(client, reason));
    }
    throw why;
  }

  #waits(): boolean {
    if (this.#failure !== undefined) {
      const message = "another instance reads the slot {slot}; " +
        "what flows of changes send goes to its clients alone";
      this.#context.logger.info(message, { slot: this.#slot });
    }
    this.#failure = undefined;
    return false;
  }

  /** How far the slot is behind, and whether the tables are still published. */
  async #look(): Promise<void> {
    try {
      const { slot } = await this.#prepare({});
      if (this.#reading !== undefined) this.#lag = slot?.lag ?? 0;
    } catch (error) {
      this.#context.logger.debug("failed to look at the slot: {reason}", {
        reason: explain(error).reason,
      });
    }
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    const { message } = this.#errorOf(error);
    if (message === this.#failure) return;
    this.#failure = message;
    this.#context.logger.warn("does not read changes, and tries again: {reason}", {
      reason: message,
    });
  }

  async #prepare(how: { readonly strict?: boolean; readonly dry?: boolean }): Promise<Setup> {
    const { user } = await this.#readServer();
    this.#user = user;
    const { name: connector, tables: wanted, logger, options } = this.#context;
    const preparation = this.#preparation ??= new Preparation({
      connector,
      user,
      slot: this.#slot,
      publication: this.#publication,
      wanted,
      deadLetters: options.changes?.dead_letter,
      logger,
      gap: (reason) => this.#gap(reason),
    });
    const found = await this.#monitor.use((client) => preparation.run(client, how));
    await this.#monitor.learn(this.#types, found.tables.flatMap(({ types }) => types));
    this.#names = new Map(found.tables.map((table) => [table.written, table.shown]));
    this.#published = new Map(found.tables.map((table) => [quoteTable(table), table.shown]));
    this.#report(found.problems.join("; "));
    return found;
  }

  #report(problems: string): void {
    if (problems === this.#problems) return;
    this.#problems = problems;
    if (problems !== "") {
      this.#context.logger.error("cannot handle all changes: {problems}", { problems });
    }
  }

  #gap(reason: string): void {
    this.#gaps++;
    this.#context.logger.error("changes are missing: {reason}", { reason });
  }

  /** Whether the user may stream at all, which no other connection tells. */
  async #tryReplication(): Promise<void> {
    const client = await connect(await this.#readServer(), {
      role: "changes",
      replication: "database",
    });
    await disconnect(client);
  }

  #readServer(): Promise<Server> {
    return this.#server ??= readServer(this.#context.name, this.#context.options);
  }

  #errorOf(cause: unknown): ConnectorError {
    if (cause instanceof ConnectorError) return cause;
    const { reason, permanent } = explain(cause);
    const advice = adviceFor(cause, this.#user);
    const message = `cannot read changes: ${reason}${advice}`;
    return new ConnectorError(this.#context.name, message, { cause, permanent });
  }
}
