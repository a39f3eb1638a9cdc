/** Reads one stream from its start to its end: decodes, waits for types, and looks whether it lives. */
import { Buffer } from "node:buffer";
import type { Client } from "pg";
import { messageOf } from "../../../../../base/shown.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import type { ChangeSink, Position } from "../../../changes/feed.ts";
import { backendOf, connect } from "../connecting.ts";
import type { Server } from "../server.ts";
import type { TypeCatalog } from "../types.ts";
import { Decoder, type Relation } from "./decoder.ts";
import type { Monitor } from "./monitor.ts";
import { lookAtSlot } from "./slot.ts";
import { ReplicationStream } from "./stream.ts";

/** Milliseconds between two signs of life. */
const BEAT = 1000;

/** Milliseconds without an answer after which it is asked elsewhere, and after which it is over. */
const SILENCE = 2500;
const LONGEST_SILENCE = 30_000;

/** Milliseconds in which the server must answer on the other connection. */
const ANSWERING = 2500;

/** What is read, and where it goes. */
export interface ReadingContext {
  readonly slot: string;
  readonly publication: string;
  readonly types: TypeCatalog;
  readonly monitor: Monitor;
  readonly sink: ChangeSink;
  /** How flows call a relation; undefined where no flow wants its changes. */
  tableOf(relation: Relation): string | undefined;
}

/** One stream. */
export class Reading {
  readonly #context: ReadingContext;
  readonly #stream: ReplicationStream;
  readonly #decoder: Decoder;
  readonly #backend: number | undefined;
  /** Messages that came while the server is asked for types. */
  #held: { readonly bytes: Buffer; readonly lsn: string }[] | undefined;
  /** Whether the deliveries want no more. */
  #paused = false;
  /** The last position that was passed on. */
  #passed: Position = 0n;
  #beating: ReturnType<typeof setInterval> | undefined;
  #looking = false;

  private constructor(context: ReadingContext, client: Client) {
    this.#context = context;
    this.#backend = backendOf(client);
    const { types, tableOf } = context;
    this.#decoder = new Decoder({ tableOf, decoderOf: (type) => types.codec(type).decode });
    this.#stream = new ReplicationStream(client, {
      message: (bytes, lsn) => this.#take(bytes, lsn),
      idle: (position) => this.#idle(position),
    });
  }

  /**
   * Connects, and reads nothing before `start`.
   *
   * @throws {Error} The server refuses it, or does not answer.
   */
  static async open(server: Server, context: ReadingContext): Promise<Reading> {
    const client = await connect(server, { role: "changes", replication: "database" });
    return new Reading(context, client);
  }

  /** The number of the server's process. */
  get backend(): number | undefined {
    return this.#backend;
  }

  /**
   * Begins to read what has not been confirmed. What comes first may come before this resolves.
   *
   * @throws {Error} The server refuses it, or does not answer; it is closed then.
   */
  async start(): Promise<void> {
    const { slot, publication } = this.#context;
    try {
      await this.#stream.start(slot, publication);
    } catch (error) {
      this.#stream.destroy("it could not begin");
      throw error;
    }
    this.#beating = setInterval(() => this.#beat(), BEAT);
  }

  /** Resolves with the reason when nothing comes any more. */
  async ended(): Promise<Error> {
    const why = await this.#stream.ended;
    clearInterval(this.#beating);
    return why;
  }

  pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#held === undefined) this.#stream.resume();
  }

  confirm(position: Position): void {
    this.#stream.confirm(position);
  }

  async close(): Promise<void> {
    clearInterval(this.#beating);
    await this.#stream.close();
  }

  #take(bytes: Buffer, lsn: string): void {
    // The library uses the memory of the bytes again.
    if (this.#held !== undefined) return void this.#held.push({ bytes: Buffer.from(bytes), lsn });
    const missing = this.#context.types.missing(this.#decoder.typesOf(bytes));
    if (missing.length === 0) return this.#decoder.read(bytes, lsn, this.#sink);
    this.#held = [{ bytes: Buffer.from(bytes), lsn }];
    this.#stream.pause();
    this.#learn(missing).catch((error) => {
      this.#stream.destroy(`the types of a table are not known: ${messageOf(error)}`);
    });
  }

  /** Asks for types that are new, such as one that a column has got since the start. */
  async #learn(missing: readonly number[]): Promise<void> {
    const { monitor, types } = this.#context;
    await monitor.learn(types, missing);
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const { bytes, lsn } of held) this.#take(bytes, lsn);
    if (this.#held === undefined && !this.#paused) this.#stream.resume();
  }

  /** Passes on changes, and remembers which position was passed on. */
  readonly #sink: Pick<ChangeSink, "change" | "unreadable" | "end"> = {
    change: (change, size) => this.#context.sink.change(change, size),
    unreadable: (change, reason) => this.#context.sink.unreadable(change, reason),
    end: (position) => {
      this.#passed = position;
      this.#context.sink.end(position);
    },
  };

  /**
   * The server has nothing more up to here: once everything before has been handled, it need not keep
   * what is of other tables and databases.
   */
  #idle(position: Position): void {
    const pending = this.#held !== undefined || this.#decoder.inTransaction ||
      this.#passed > this.#stream.confirmed;
    if (!pending && position > this.#passed) this.#sink.end(position);
  }

  /** A server that is busy with a large transaction does not answer; one that is gone does not either. */
  #beat(): void {
    this.#stream.beat();
    const { silence } = this.#stream;
    if (silence > LONGEST_SILENCE) this.#stream.destroy("the server does not answer");
    if (silence < SILENCE || this.#looking) return;
    this.#looking = true;
    const { monitor, slot } = this.#context;
    const looking = monitor.use((client) => lookAtSlot(client, slot))
      .then((found) => found?.active === this.#backend, () => false);
    withTimeout(looking, ANSWERING, () => false).then((alive) => {
      this.#looking = false;
      if (!alive) this.#stream.destroy("the server does not answer");
    });
  }
}
