/** Runs reads that may take long in other processes, where they do not block this one. */
import type { Cancellable } from "../../../../contract/connector.ts";
import { ReadBrokenError } from "./errors.ts";
import { Reader, type ReaderOptions, type ReadOrder } from "./reader.ts";
import { toNamedRow } from "./values.ts";

/** How many processes there are at most, including those that were killed and have not ended yet. */
const MOST = 4;
/** Milliseconds that a read waits for an idle process before another one is started. */
const CROWDED = 50;
/** Milliseconds between two checks; a process that has read nothing since the last one is ended. */
const IDLE = 30_000;

type Rows = readonly Record<string, unknown>[];

interface Read {
  readonly order: ReadOrder;
  readonly rows: Record<string, unknown>[];
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The processes that read from one database. They start when there is something to read, so that a
 * configuration without such reads has none, and end when there was nothing to read for a while. A
 * process whose read is cancelled is killed; another one starts when it is needed.
 */
export class Readers {
  readonly #options: ReaderOptions;
  readonly #idle: number;
  /** Each with its current read, and the number of its reads at the last check. */
  readonly #readers = new Map<Reader, { read: Read | undefined; seen: number }>();
  /** In their order. */
  readonly #waiting = new Set<Read>();
  #crowded: ReturnType<typeof setTimeout> | undefined;
  #looking: ReturnType<typeof setInterval> | undefined;
  readonly #allGone = Promise.withResolvers<void>();
  #closed = false;

  /** Starts none yet. `idle` is the time between two checks for idle processes, in milliseconds. */
  constructor(options: ReaderOptions, idle: number = IDLE) {
    this.#options = options;
    this.#idle = idle;
  }

  /** How many processes there are. */
  get size(): number {
    return this.#readers.size;
  }

  /**
   * Reads; the rows are as JSON can hold them.
   *
   * @throws {CannotStartError} No process can be started.
   * @throws {ReadBrokenError} The process has ended, or `close` was called.
   */
  read(order: ReadOrder): Promise<Rows> & Cancellable<Rows> {
    const { promise, resolve, reject } = Promise.withResolvers<Rows>();
    const read: Read = { order, rows: [], resolve, reject };
    if (this.#closed) reject(closed());
    else this.#waiting.add(read);
    this.#assign();
    return Object.assign(promise, { cancel: () => this.#giveUp(read) });
  }

  /** Cancels all reads; resolves when all processes have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const read of this.#waiting) read.reject(closed());
    this.#waiting.clear();
    for (const [reader, { read }] of this.#readers) {
      read?.reject(closed());
      reader.kill();
    }
    this.#rest();
    await this.#allGone.promise;
  }

  #assign(): void {
    for (const [reader, state] of this.#readers) {
      if (this.#waiting.size === 0) break;
      if (reader.idle) this.#assignTo(reader, state);
    }
    if (this.#waiting.size === 0) {
      clearTimeout(this.#crowded);
      this.#crowded = undefined;
    } else if (this.#readers.size === 0) {
      this.#start();
    } else if (this.#readers.size < MOST) {
      // Most reads are short: waiting for a process is faster than starting one.
      this.#crowded ??= setTimeout(() => {
        this.#crowded = undefined;
        this.#start();
      }, CROWDED);
    }
  }

  #start(): void {
    try {
      const reader = new Reader(this.#options, (ended) => this.#forget(ended));
      this.#readers.set(reader, { read: undefined, seen: 0 });
    } catch (error) {
      // A busy process will do it later.
      if (this.#readers.size > 0) return;
      for (const read of this.#waiting) read.reject(error);
      this.#waiting.clear();
      return;
    }
    this.#looking ??= setInterval(() => this.#endIdle(), this.#idle).unref();
    this.#assign();
  }

  #assignTo(reader: Reader, state: { read: Read | undefined }): void {
    const [read] = this.#waiting;
    this.#waiting.delete(read);
    state.read = read;
    reader.read(read.order, {
      rows: ({ names, rows }) => {
        for (const row of rows) read.rows.push(toNamedRow(names, row));
      },
      done: () => {
        state.read = undefined;
        read.resolve(read.rows);
        this.#assign();
      },
      failed: (error) => {
        state.read = undefined;
        read.reject(error);
        this.#assign();
      },
    });
  }

  #giveUp(read: Read): void {
    read.reject(new ReadBrokenError("was cancelled"));
    if (this.#waiting.delete(read)) return this.#assign();
    for (const [reader, state] of this.#readers) if (state.read === read) reader.kill();
  }

  #forget(reader: Reader): void {
    this.#readers.delete(reader);
    this.#rest();
    this.#assign();
  }

  #endIdle(): void {
    for (const [reader, state] of this.#readers) {
      if (reader.idle && reader.reads === state.seen) reader.kill();
      state.seen = reader.reads;
    }
  }

  /** Without processes no timer is needed. */
  #rest(): void {
    if (this.#closed) {
      clearTimeout(this.#crowded);
      if (this.#readers.size === 0) this.#allGone.resolve();
    }
    if (this.#readers.size > 0) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
  }
}

function closed(): ReadBrokenError {
  return new ReadBrokenError("is closed");
}
