/** Stands between an outbox and its socket, and holds back what the socket does not take. */
import { batchOf, type OutboxOwner, type Sink } from "../outbox.ts";
import type { Batch, Peer } from "../../../transport/socket.ts";
import { type Backlog, takeChunk } from "./backlog.ts";
import type { Polling } from "./polling.ts";

/** A socket that holds more than this, in bytes, is given nothing more. */
const HIGH_MARK = 64 * 1024;

/** What a sink is made of. */
export interface HoldingSinkOptions {
  readonly peer: Pick<Peer, "send" | "bufferedAmount">;
  /** Bytes that may wait in the socket and in the backlog together. */
  readonly limit: number;
  /** Empty at first. */
  readonly backlog: Backlog;
  readonly polling: Polling<HoldingSink>;
  /** Hears where the peer throws. */
  readonly owner: Pick<OutboxOwner, "failed">;
  /** Is told how many frames were lost with the socket. */
  onLost(frames: number): void;
}

/**
 * Passes batches on as they are while the socket takes them. Once it does not, frames wait here,
 * where a policy can leave some of them out.
 */
export class HoldingSink implements Sink {
  readonly #options: HoldingSinkOptions;
  readonly #mark: number;
  /** What the socket held when it was last given something, or more. */
  #unsent = 0;

  /** The mark is half of a small limit, so that something is left to choose from. */
  constructor(options: HoldingSinkOptions) {
    this.#options = options;
    this.#mark = Math.min(HIGH_MARK, options.limit / 2);
  }

  /** Gives the bytes that wait, here and in the socket: over the limit where no policy helped. */
  send(batch: Batch): number {
    const { backlog, limit, polling } = this.#options;
    if (backlog.size === 0 && this.#takesWhole(batch)) return this.#give(batch);
    for (const frame of batch.frames) backlog.push(frame);
    const unsent = this.#pump();
    if (backlog.size > 0) polling.add(this);
    backlog.fit(limit - unsent);
    return unsent + backlog.size;
  }

  /** The socket may have taken something meanwhile. */
  look(): void {
    this.#pump();
    if (this.#options.backlog.size === 0) this.#options.polling.delete(this);
  }

  failed(error: unknown): void {
    this.#options.owner.failed(error);
  }

  /** Gives everything to the socket: it is about to be closed. */
  handOver(): void {
    const { backlog, polling } = this.#options;
    polling.delete(this);
    while (backlog.size > 0) this.#giveChunk(Infinity);
  }

  /** Forgets what waits. */
  discard(): void {
    const { backlog, polling, onLost } = this.#options;
    polling.delete(this);
    if (backlog.count > 0) onLost(backlog.count);
    while (backlog.size > 0) backlog.shift();
  }

  #takesWhole({ size, frames }: Batch): boolean {
    if (size > this.#mark && frames.length > 1) return false;
    const unsent = this.#refresh();
    return unsent <= this.#mark && unsent + size <= this.#options.limit;
  }

  /** Gives the socket what it takes, and gives what it holds then. */
  #pump(): number {
    const { backlog, limit } = this.#options;
    while (backlog.size > 0 && this.#refresh() <= this.#mark) {
      // A large frame waits until the rest of the limit has room for it.
      if (!this.#giveChunk(limit - this.#unsent)) break;
    }
    return this.#refresh();
  }

  /** Gives the socket some of the oldest frames; false where the next one is over `most` bytes. */
  #giveChunk(most: number): boolean {
    const { backlog, onLost } = this.#options;
    const batch = batchOf(takeChunk(backlog, this.#mark, most));
    if (batch.size === 0) return false;
    if (this.#give(batch) < 0) onLost(batch.frames.length);
    return true;
  }

  /** A socket that held nothing is not asked: on some runtimes that costs as much as sending. */
  #refresh(): number {
    if (this.#unsent > 0) this.#unsent = this.#options.peer.bufferedAmount;
    return this.#unsent;
  }

  /** A peer that throws takes no more than one that is closing. */
  #give(batch: Batch): number {
    let unsent = -1;
    try {
      unsent = this.#options.peer.send(batch);
    } catch (error) {
      this.failed(error);
    }
    this.#unsent = Math.max(0, unsent);
    return unsent;
  }
}
