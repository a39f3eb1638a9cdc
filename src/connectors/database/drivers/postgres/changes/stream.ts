/** One connection that streams changes: what is read, what is confirmed, and whether it lives. */
import { Buffer } from "node:buffer";
import type { Client } from "pg";
import { withTimeout } from "../../../../../base/timeout.ts";
import { quoteName } from "./names.ts";
import { ask, destroy, onLost } from "../connecting.ts";
import { readLsn, serverTime } from "./lsn.ts";

/** Milliseconds in which the server begins to stream, or says why it does not. */
const STARTING = 10_000;

/** Milliseconds in which the server takes the last confirmation. */
const ENDING = 1000;

/** Milliseconds after a confirmation in which others join it. */
const GATHERING = 50;

/** What the server counts as dead: another instance gets the slot so much later, in milliseconds. */
const SENDER_TIMEOUT = 6000;

/** What a stream passes on. */
export interface StreamEvents {
  /** A message of the plugin; its bytes are valid during the call alone. */
  message(bytes: Buffer, lsn: string): void;
  /** The server has sent everything up to here. */
  idle(position: bigint): void;
}

/** The parts of the library's connection that its types do not have. */
interface CopyConnection {
  readonly stream: { pause(): void; resume(): void };
  on(event: "copyData", hear: (message: { readonly chunk: Buffer }) => void): void;
  once(event: "replicationStart", hear: () => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
  end(): void;
}

/** Streams from a slot until it is ended or lost. */
export class ReplicationStream {
  /** Resolves with the reason when nothing comes any more. */
  readonly ended: Promise<Error>;
  readonly #client: Client;
  readonly #connection: CopyConnection;
  readonly #events: StreamEvents;
  #end!: (why: Error) => void;
  #confirmed = 0n;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #heard = performance.now();
  #paused = false;
  #over = false;

  /** `client` has been opened for replication, and is used for nothing else. */
  constructor(client: Client, events: StreamEvents) {
    this.#client = client;
    this.#connection = client.connection as unknown as CopyConnection;
    this.#events = events;
    this.ended = new Promise((resolve) => this.#end = resolve);
    onLost(client, (why) => this.#finish(why));
  }

  /** The position that was confirmed last. */
  get confirmed(): bigint {
    return this.#confirmed;
  }

  /** For how many milliseconds nothing has come although it was read and the server was asked. */
  get silence(): number {
    return this.#paused ? 0 : performance.now() - this.#heard;
  }

  /**
   * Begins where the slot has been confirmed.
   *
   * @throws {Error} The server refuses it: somebody else has the slot, or it is not there.
   */
  async start(slot: string, publication: string): Promise<void> {
    const settings = `set_config('wal_sender_timeout', '${SENDER_TIMEOUT}', false), ` +
      "set_config('statement_timeout', '0', false)";
    await ask(this.#client, `SELECT ${settings}`, STARTING);
    const started = new Promise<void>((resolve) => {
      this.#connection.once("replicationStart", resolve);
    });
    this.#connection.on("copyData", ({ chunk }) => this.#take(chunk));
    // The list has names in quotes, inside of a text in quotes.
    const list = quoteName(publication).replaceAll("'", "''");
    const options = `proto_version '1', publication_names '${list}'`;
    const sql = `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL 0/0 (${options})`;
    const running = this.#client.query(sql).then(
      () => this.#finish(new Error("the server has ended the stream")),
      (error: Error) => {
        this.#finish(error);
        throw error;
      },
    );
    // What comes after the start is in `ended`.
    running.catch(() => {});
    await withTimeout(Promise.race([started, running]), STARTING, () => {
      throw new Error("the server does not begin to stream");
    });
    this.#heard = performance.now();
  }

  /** Reads no more until `resume`. The server is told that this side lives nevertheless. */
  pause(): void {
    this.#paused = true;
    if (!this.#over) this.#connection.stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#heard = performance.now();
    if (!this.#over) this.#connection.stream.resume();
  }

  /** The server need not keep what is before `position`. It is told a little later. */
  confirm(position: bigint): void {
    if (position <= this.#confirmed) return;
    this.#confirmed = position;
    this.#gathering ??= setTimeout(() => this.#send(false), GATHERING);
  }

  /** Tells the server that this side lives, and asks whether it does. */
  beat(): void {
    this.#send(true);
  }

  /** Ends it at once. */
  destroy(why: string): void {
    destroy(this.#client, why);
  }

  /** Tells the server what was confirmed, and ends it. */
  async close(): Promise<void> {
    if (!this.#over) {
      this.#send(false);
      this.#over = true;
      this.#connection.end();
      // What still comes must be read, or the end of the connection would not be seen.
      this.#connection.stream.resume();
      await withTimeout(this.ended, ENDING, () => undefined);
    }
    this.destroy("it was closed");
  }

  #finish(why: Error): void {
    this.#over = true;
    clearTimeout(this.#gathering);
    this.#end(why);
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    this.#heard = performance.now();
    // Whatever is thrown here would end the process.
    try {
      if (chunk[0] === DATA) {
        return this.#events.message(chunk.subarray(HEADER), readLsn(chunk, 1));
      }
      if (chunk[0] !== KEEPALIVE) throw new Error(`a message of the kind ${chunk[0]} is not known`);
      this.#events.idle(chunk.readBigUInt64BE(1));
      if (chunk[17] === 1) this.#send(false);
    } catch (error) {
      this.#finish(error as Error);
      this.destroy("its messages cannot be read");
    }
  }

  #send(ask: boolean): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#over) return;
    const status = Buffer.alloc(34);
    status[0] = STATUS;
    // Written, flushed and applied.
    for (const offset of [1, 9, 17]) status.writeBigUInt64BE(this.#confirmed, offset);
    status.writeBigInt64BE(serverTime(), 25);
    status[33] = ask ? 1 : 0;
    this.#connection.sendCopyFromChunk(status);
  }
}

/** The first bytes of what the server sends: `w` and `k`, and of what it gets: `r`. */
const DATA = 0x77;
const KEEPALIVE = 0x6b;
const STATUS = 0x72;

/** Kind, start, end and time before the plugin's message. */
const HEADER = 25;
