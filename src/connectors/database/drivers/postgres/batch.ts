/** Statements on one connection: each is parsed once, and those of a batch share one round trip. */
import type { Client } from "pg";
import type { Result } from "../../driver.ts";
import type { BatchedWrite, BatchOutcome } from "../../group-commit.ts";
import { CancelledError } from "../../pending-write.ts";
import { isAnswer, isStale, isValueRefusal, LostConnectionError } from "./answers.ts";
import { addParameterNames } from "./errors.ts";
import { Batch, type Description, type Execution, Preparation, type Wire } from "./exchanges.ts";
import { bindOf, Messages, type Prepared } from "./messages.ts";
import { type PostgresStatement, ValueError } from "./statement.ts";
import type { TypeCatalog } from "./types.ts";

/** How long statements may take, and how they are given up. */
export interface RunOptions {
  /** In milliseconds. When they have passed, the connection is destroyed. */
  readonly timeout: number;
  /** Where it is aborted, the server is asked to cancel. */
  readonly signal?: AbortSignal | undefined;
}

/** How many bytes a batch has at most, unless one write alone has more. */
const LARGEST_BATCH = 4 * 1024 * 1024;
/** How many statements a connection keeps parsed: more than the connector has of writes to tables. */
const MOST_PREPARED = 512;
/** How many different statements a batch has at most, so that none goes while it is made. */
const MOST_DIFFERENT = 64;
/** How old, in milliseconds, what is known of a statement's types is when a value is refused. */
const FRESH = 1000;

/** How a batch ended, with what a repetition has to know. */
type Ending = BatchOutcome & { readonly culprit?: BatchedWrite | undefined };

/** Runs statements on one client, which nobody else uses meanwhile. */
export class StatementConnection {
  readonly #client: Client;
  readonly #wire: Wire;
  readonly #types: TypeCatalog;
  readonly #cancel: () => Promise<void>;
  readonly #messages = new Messages();
  /** The one that was used last is the last one. */
  readonly #prepared = new Map<PostgresStatement, Prepared>();
  /** The names of statements that the server can forget. */
  #unused: string[] = [];
  /**
   * Before the numbers of its statements. A pooler may have another client's statement under a name
   * that two connections have in common, and would run that one.
   */
  readonly #prefix = `weir_${crypto.randomUUID().slice(0, 8)}_`;
  #names = 0;
  #lost: Error | undefined;
  #abandon: ((error: Error) => void) | undefined;

  /**
   * `client` is connected, has neither `pipeline` nor `query_timeout`, and a session with
   * `TimeZone = UTC`, `DateStyle = ISO` and `bytea_output = hex`. `cancel` asks the server to cancel
   * what this client runs; it settles when the server has heard of it, so that nothing later is
   * cancelled instead.
   */
  constructor(client: Client, types: TypeCatalog, cancel: () => Promise<void>) {
    this.#client = client;
    this.#wire = client.connection as Wire;
    this.#types = types;
    this.#cancel = cancel;
    client.on("error", (error) => this.#lost ??= error);
    // The client's own event comes a tick later: a batch that is sent in between gets no answer.
    this.#wire.on("end", () => this.#lost ??= new Error("it was closed"));
  }

  /** Why the connection cannot be used any more; undefined as long as it can. */
  get lost(): Error | undefined {
    return this.#lost;
  }

  /** Runs writes in one transaction, as `execute` of a group commit. Never rejects. */
  async run(batch: readonly BatchedWrite[], options: RunOptions): Promise<BatchOutcome> {
    try {
      return await this.#guard(options, async () => {
        const first = await this.#attempt(batch, options);
        return this.#mayRepeat(first) ? await this.#attempt(batch, options) : first;
      });
    } catch (error) {
      // A mistake of this code: what has been sent is not known.
      return { failed: this.#destroy(error as Error), written: "unknown" };
    }
  }

  /**
   * Runs one statement: a read, or one in a transaction that `BEGIN` has opened.
   *
   * @throws {DatabaseError} The server refused it.
   * @throws {ValueError} A value cannot be sent.
   * @throws {LostConnectionError} The connection ended; a write may have been done.
   * @throws {CancelledError} The signal was aborted before it was sent.
   */
  async query(
    statement: PostgresStatement,
    values: readonly unknown[],
    options: RunOptions,
  ): Promise<Result> {
    const outcome = await this.run([{ statement, values }], options);
    if ("committed" in outcome) return outcome.committed[0];
    throw "refused" in outcome ? outcome.error : outcome.failed;
  }

  /**
   * Parses a statement on the server, without running it.
   *
   * @throws {DatabaseError | LostConnectionError} As `query`.
   */
  async describe(statement: PostgresStatement, options: RunOptions): Promise<void> {
    if (this.#prepared.has(statement)) return;
    await this.#guard(options, () => this.#prepare(statement));
  }

  /** Works within the time, and cancels the work where the signal is aborted. */
  async #guard<T>({ timeout, signal }: RunOptions, work: () => Promise<T>): Promise<T> {
    let cancelling: Promise<void> | undefined;
    // Where the server does not hear of it, the time limit ends it.
    const cancel = () => cancelling ??= this.#cancel().catch(() => {});
    signal?.addEventListener("abort", cancel);
    const late = setTimeout(() => this.#destroy(new Error(`no answer in ${timeout} ms`)), timeout);
    try {
      return await work();
    } finally {
      clearTimeout(late);
      signal?.removeEventListener("abort", cancel);
      await cancelling;
    }
  }

  async #attempt(batch: readonly BatchedWrite[], { signal }: RunOptions): Promise<Ending> {
    let count = 0;
    try {
      count = await this.#prepareAll(batch);
    } catch (error) {
      return isAnswer(error) ? { refused: 0, error } : { failed: error, written: "no" };
    }
    if (signal?.aborted) return { failed: new CancelledError("was cancelled"), written: "no" };
    if (this.#lost !== undefined) {
      return { failed: new LostConnectionError(this.#lost), written: "no" };
    }
    const executions: Execution[] = [];
    try {
      this.#gather(batch, count, executions);
    } catch (error) {
      if (executions.length === 0) return { refused: 0, error, culprit: batch[0] };
    }
    this.#unused = [];
    const exchange = new Batch(this.#wire, this.#messages.sync(), executions);
    await this.#exchange(exchange);
    // What a large value has taken is not kept until the next statement.
    this.#messages.clear();
    return this.#ending(batch, exchange, executions);
  }

  /** Parses what the connection does not know, and returns how many of the writes it can run now. */
  async #prepareAll(batch: readonly BatchedWrite[]): Promise<number> {
    const different = new Set<PostgresStatement>();
    let count = 0;
    for (const write of batch) {
      const statement = write.statement as PostgresStatement;
      if (count > 0 && !statement.shares) break;
      if (!different.has(statement)) {
        if (different.size === MOST_DIFFERENT) break;
        try {
          const prepared = this.#prepared.get(statement);
          if (prepared === undefined) await this.#prepare(statement);
          else this.#keep(statement, prepared);
        } catch (error) {
          // Those before it go first; this one is refused the next time.
          if (count > 0 && isAnswer(error)) break;
          throw error;
        }
        different.add(statement);
      }
      count++;
      if (!statement.shares) break;
    }
    return count;
  }

  /** Writes the messages of a batch, as far as its values can be sent. */
  #gather(batch: readonly BatchedWrite[], count: number, executions: Execution[]): void {
    const messages = this.#messages;
    messages.clear();
    for (const name of this.#unused) messages.close(name);
    for (let index = 0; index < count && messages.length < LARGEST_BATCH; index++) {
      const { values } = batch[index];
      const statement = batch[index].statement as PostgresStatement;
      const prepared = this.#prepared.get(statement)!;
      messages.execute(statement, prepared, values);
      executions.push({ statement, prepared });
    }
  }

  #ending(
    batch: readonly BatchedWrite[],
    { error, results }: Batch,
    executions: readonly Execution[],
  ): Ending {
    if (error === undefined) return { committed: results };
    const { length } = results;
    const alone = !executions[0].statement.shares;
    const answered = isAnswer(error) && this.#lost === undefined;
    if (length < executions.length) {
      if (answered) return { refused: length, error, culprit: batch[length] };
      // What the server said of one statement, it said before the commit.
      const written = isAnswer(error) && !alone ? "no" : "unknown";
      return { failed: isAnswer(error) ? error : new LostConnectionError(error), written };
    }
    if (answered) return { failed: error, written: "no", halve: true };
    return { failed: new LostConnectionError(error), written: "unknown" };
  }

  /**
   * Whether a batch must be run again, since the server has forgotten a statement or the types of its
   * parameters or columns are others now. Nothing of it was committed.
   */
  #mayRepeat(ending: Ending): boolean {
    if (!("refused" in ending) || ending.culprit === undefined || this.#lost !== undefined) {
      return false;
    }
    const { error } = ending;
    const statement = ending.culprit.statement as PostgresStatement;
    const since = this.#prepared.get(statement)?.since ?? Infinity;
    const old = performance.now() - since > FRESH;
    const suspect = error instanceof ValueError || isValueRefusal(error);
    if (!isStale(error) && !(suspect && old)) return false;
    this.#forget(statement);
    // In a transaction of the user's the error has ended it: all of it must be repeated.
    return this.#client.getTransactionStatus() === "I";
  }

  /** Others are forgotten before it. */
  #keep(statement: PostgresStatement, prepared: Prepared): void {
    this.#prepared.delete(statement);
    this.#prepared.set(statement, prepared);
  }

  #forget(statement: PostgresStatement): void {
    const prepared = this.#prepared.get(statement);
    if (prepared === undefined) return;
    this.#prepared.delete(statement);
    this.#unused.push(prepared.name);
  }

  async #prepare(statement: PostgresStatement): Promise<void> {
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= MOST_PREPARED) this.#forget(oldest);
    const name = `${this.#prefix}${++this.#names}`;
    this.#messages.clear();
    this.#messages.parse(name, statement.sql);
    const preparation = new Preparation(this.#wire, this.#messages.sync());
    this.#wire.on("parameterDescription", preparation.onParameters);
    await this.#exchange(preparation);
    this.#wire.off("parameterDescription", preparation.onParameters);
    const { error, description } = preparation;
    if (error !== undefined) {
      if (!isAnswer(error)) throw new LostConnectionError(error);
      if (statement.write === undefined) addParameterNames(error, statement.names);
      throw error;
    }
    this.#prepared.set(statement, await this.#codecs(name, description));
  }

  async #codecs(name: string, { parameters, fields }: Description): Promise<Prepared> {
    const columns = fields ?? [];
    const oids = [...parameters, ...columns.map(({ dataTypeID }) => dataTypeID)];
    const missing = this.#types.missing(oids);
    if (missing.length > 0) await this.#types.learn(this.#client, missing);
    return {
      name,
      bind: bindOf(name, parameters.length),
      encoders: parameters.map((oid) => this.#types.codec(oid).encode),
      columns: fields?.map(({ name }) => name),
      decoders: columns.map(({ dataTypeID }) => this.#types.codec(dataTypeID).decode),
      since: performance.now(),
    };
  }

  async #exchange(exchange: Batch | Preparation): Promise<void> {
    this.#abandon = (error) => exchange.abandon(error);
    this.#client.query(exchange);
    await exchange.done;
    this.#abandon = undefined;
  }

  /** Ends the connection: whatever it does is lost. */
  #destroy(error: Error): Error {
    this.#lost ??= error;
    this.#abandon?.(error);
    this.#wire.stream.destroy(error);
    return new LostConnectionError(error);
  }
}
