/** Clients in a thread of their own: they read and answer pings while the server's thread is busy. */
import { Worker } from "node:worker_threads";

/** What the thread is told. */
export interface ReaderOrder {
  readonly port: number;
  /** How many clients. */
  readonly count: number;
  /** The room that they all join. */
  readonly room: string;
}

/** What the clients have seen since they joined. */
export interface ReaderReport {
  /** Why clients have given up: a connection that ended, a message that was missing. */
  readonly problems: readonly string[];
  /** Messages, by client. */
  readonly received: readonly number[];
  /** Pings, by client. */
  readonly pings: readonly number[];
  /** The 99th percentile of the latencies since the last report, in milliseconds. */
  readonly p99: number;
}

/** A time that all threads share, in milliseconds. */
export function clockTime(): number {
  return performance.timeOrigin + performance.now();
}

/** Clients that have joined a room, and that expect messages `{ n, at }` with the time of sending. */
export class Readers {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Starts the thread; all clients are in the room when it resolves. */
  static async start(order: ReaderOrder): Promise<Readers> {
    const worker = new Worker(new URL("./readers.ts", import.meta.url), { workerData: order });
    const readers = new Readers(worker);
    await readers.#heard();
    return readers;
  }

  /** What they have seen until now. */
  async report(): Promise<ReaderReport> {
    this.#worker.postMessage("report");
    return await this.#heard() as ReaderReport;
  }

  /** They leave without a word. */
  async leave(): Promise<void> {
    await this.#worker.terminate();
  }

  #heard(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.once("error", reject);
      this.#worker.once("message", (message) => {
        this.#worker.off("error", reject);
        resolve(message);
      });
    });
  }
}
