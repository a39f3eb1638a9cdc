/** Holds back what a socket does not take: it is between an outbox and the socket. */
import type { Clock } from "../../../base/clock.ts";
import type { Batch, Peer } from "../../../transport/socket.ts";
import { batchOf } from "../batch.ts";
import type { OutboxListener, Sink } from "../sink.ts";
import type { Traffic } from "../traffic.ts";
import { type Backlog, takeChunk } from "./backlog.ts";

/** A socket that holds more bytes than this is sent nothing more. */
const HIGH_MARK = 64 * 1024;

/** Milliseconds between two polls. What the kernel holds lasts a client longer. */
const INTERVAL = 10;

/** The parts of a sink. */
export interface HoldingSinkOptions {
  readonly peer: Pick<Peer, "send" | "bufferedAmount" | "full">;
  /** Bytes that may wait in the socket and in the backlog together. */
  readonly limit: number;
  /** Empty at first. */
  readonly backlog: Backlog;
  readonly polling: Polling;
  /** Is notified when the peer throws. */
  readonly listener: Pick<OutboxListener, "failed">;
  /** Counts what the socket is given. */
  readonly traffic: Traffic;
  /** Is called with the number of frames that were lost with the socket. */
  onLost(frames: number): void;
}

/**
 * Passes batches on while the socket takes them. Once it does not, frames wait here, where a policy
 * can drop some of them.
 */
export class HoldingSink implements Sink {
  readonly #options: HoldingSinkOptions;
  readonly #mark: number;
  /** What the socket held when it was last written to, or more. */
  #unsent = 0;

  /** The mark is half of a small limit, so that the policy has frames to choose from. */
  constructor(options: HoldingSinkOptions) {
    this.#options = options;
    this.#mark = Math.min(HIGH_MARK, options.limit / 2);
  }

  /**
   * Returns the bytes that wait, here and in the socket: more than the limit where the policy could
   * not drop enough.
   */
  send(batch: Batch): number {
    const { backlog, limit, polling, traffic } = this.#options;
    if (backlog.size === 0 && this.#takesWhole(batch)) return this.#write(batch);
    for (const frame of batch.frames) backlog.push(frame);
    const unsent = this.#pump();
    if (backlog.size > 0) {
      polling.add(this);
      traffic.waits(this);
    }
    backlog.fit(limit - unsent);
    return unsent + backlog.size;
  }

  /** The bytes that wait, here and in the socket. */
  get bufferedAmount(): number {
    return this.#refresh() + this.#options.backlog.size;
  }

  /** Writes what the socket takes now. */
  poll(): void {
    this.#pump();
    if (this.#options.backlog.size === 0) this.#options.polling.delete(this);
  }

  /** Writes what the socket takes now, if anything waits. */
  flush(): void {
    if (this.#options.backlog.size > 0) this.poll();
  }

  /** Reports an error of the socket. */
  failed(error: unknown): void {
    this.#options.listener.failed(error);
  }

  /** Writes everything to the socket, which is about to be closed. */
  writeAll(): void {
    const { backlog, polling } = this.#options;
    polling.delete(this);
    while (backlog.size > 0) this.#writeChunk(Infinity);
  }

  /** Drops everything that waits. */
  discard(): void {
    const { backlog, polling, traffic, onLost } = this.#options;
    polling.delete(this);
    traffic.forget(this);
    if (backlog.count > 0) onLost(backlog.count);
    while (backlog.size > 0) backlog.shift();
  }

  #takesWhole({ size, frames }: Batch): boolean {
    if (this.#options.peer.full) return false;
    if (size > this.#mark && frames.length > 1) return false;
    const unsent = this.#refresh();
    return unsent <= this.#mark && unsent + size <= this.#options.limit;
  }

  /** Writes what the socket takes. Returns the bytes that it holds then. */
  #pump(): number {
    const { backlog, limit, peer } = this.#options;
    while (backlog.size > 0 && !peer.full && this.#refresh() <= this.#mark) {
      // A large frame waits until the rest of the limit has room for it.
      if (!this.#writeChunk(limit - this.#unsent)) break;
    }
    return this.#refresh();
  }

  /** Writes some of the oldest frames. Returns false where the next one has more than `max` bytes. */
  #writeChunk(max: number): boolean {
    const { backlog, onLost } = this.#options;
    const batch = batchOf(takeChunk(backlog, this.#mark, max));
    if (batch.size === 0) return false;
    if (this.#write(batch) < 0) onLost(batch.frames.length);
    return true;
  }

  /** A socket that held nothing is not asked: on some runtimes that costs as much as a write. */
  #refresh(): number {
    if (this.#unsent > 0) this.#unsent = this.#options.peer.bufferedAmount;
    return this.#unsent;
  }

  /** A peer that throws takes no more than one that is closing. */
  #write(batch: Batch): number {
    let unsent = -1;
    try {
      unsent = this.#options.peer.send(batch);
    } catch (error) {
      this.failed(error);
    }
    const { traffic } = this.#options;
    if (unsent >= 0) traffic.add(batch, 1);
    if (unsent > 0) traffic.waits(this);
    this.#unsent = Math.max(0, unsent);
    return unsent;
  }
}

/** Polls sinks whose sockets take nothing at the moment: not every runtime says when they do again. */
export class Polling {
  readonly #clock: Clock;
  readonly #sinks = new Set<HoldingSink>();
  #cancel: (() => void) | undefined;

  /** Sets no timer until a sink is added. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Polls this sink, too, until it is deleted. */
  add(sink: HoldingSink): void {
    this.#sinks.add(sink);
    this.#cancel ??= this.#clock.after(INTERVAL, this.#poll);
  }

  /** Stops polling this sink. */
  delete(sink: HoldingSink): void {
    if (!this.#sinks.delete(sink) || this.#sinks.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #poll = (): void => {
    this.#cancel = undefined;
    for (const sink of [...this.#sinks]) {
      try {
        sink.poll();
      } catch (error) {
        // The others are polled all the same.
        this.#sinks.delete(sink);
        sink.failed(error);
      }
    }
    if (this.#sinks.size > 0) this.#cancel ??= this.#clock.after(INTERVAL, this.#poll);
  };
}
