/** Counts what a connector sends to its clients, for metrics. */
import type { Batch } from "../../transport/socket.ts";

/** Where bytes wait until the kernel takes them. */
export interface Waiting {
  /** The bytes that wait. */
  readonly bufferedAmount: number;
}

/** What was sent since the start, and what waits. */
export class Traffic {
  /** Frames that were handed to sockets. */
  frames = 0;
  /** Their size on the wire, without compression. */
  bytes = 0;
  /** Those that took less than they were given, so that a scrape does not ask all others. */
  readonly #waiting = new Set<Waiting>();

  /** Counts a batch that a number of sockets got. A negative number takes back what they did not take. */
  add({ frames, size }: Batch, sockets: number): void {
    this.frames += frames.length * sockets;
    this.bytes += size * sockets;
  }

  /** Something waits there. */
  waits(socket: Waiting): void {
    this.#waiting.add(socket);
  }

  /** Nothing is sent there any more. */
  forget(socket: Waiting): void {
    if (this.#waiting.size > 0) this.#waiting.delete(socket);
  }

  /** The bytes that wait for all clients. */
  get queued(): number {
    let sum = 0;
    for (const socket of this.#waiting) {
      const waits = socket.bufferedAmount;
      if (waits > 0) sum += waits;
      else this.#waiting.delete(socket);
    }
    return sum;
  }
}
