/** The WebSocket of a client that is refused: it tells why, closes, and serves nothing. */
import type { Clock } from "../../../base/clock.ts";
import type { Peer, SocketFeatures, SocketSession } from "../../../transport/socket.ts";
import { batchOf } from "../batch.ts";
import type { Notice } from "./notice.ts";

/** A client that has not answered the close after this time is destroyed, in milliseconds. */
export const PATIENCE = 2_000;
/**
 * Bun reports the close when it begins, and ends the TCP connection itself within four seconds. So
 * long, and a little longer, its client is counted.
 */
export const UNSEEN_END = 5_000;
/**
 * Deno resets a connection on which something arrives after the close, and its client sees 1006. So
 * there the close waits for the client's first message, but no longer than this: over a slow network
 * it comes late.
 */
export const FIRST_MESSAGE = 1_500;
/** The close waits until nothing has arrived for this time. */
export const QUIET = 20;

/** One refused client, from the decision until its connection has ended. */
export class RefusedSession implements SocketSession {
  readonly #notice: Notice;
  readonly #clock: Clock;
  readonly #sessions: Set<RefusedSession>;
  readonly #settled = Promise.withResolvers<void>();
  #peer: Peer | undefined = undefined;
  /** `open` runs. */
  #opening = false;
  /** The upgrade has neither succeeded nor failed in time. */
  #hangs = false;
  #cancelTimer: () => void;
  /** Cancels the close where it waits; undefined where it does not. */
  #cancelClose: (() => void) | undefined = undefined;

  /** Is in `sessions` while it is counted. */
  constructor(notice: Notice, clock: Clock, sessions: Set<RefusedSession>) {
    this.#notice = notice;
    this.#clock = clock;
    this.#sessions = sessions;
    this.#cancelTimer = this.#startTimer();
    sessions.add(this);
  }

  /** Resolves when its connection has ended, or was destroyed or given up. */
  get settled(): Promise<void> {
    return this.#settled.promise;
  }

  open(peer: Peer, { terminate }: SocketFeatures): void {
    this.#peer = peer;
    // It may have been abandoned before.
    this.#sessions.add(this);
    this.#cancelTimer();
    this.#cancelTimer = this.#startTimer();
    this.#opening = true;
    try {
      peer.send(batchOf([this.#notice.frame]));
      if (terminate) this.#close();
      else this.#closeAfter(FIRST_MESSAGE);
    } catch {
      this.#terminate();
    } finally {
      this.#opening = false;
    }
  }

  abandon(): void {
    this.#settle();
    // Of a client that resets just before the upgrade, Deno reports nothing, and keeps its socket.
    if (!this.#hangs) this.#sessions.delete(this);
  }

  message(): void {
    if (this.#cancelClose !== undefined) this.#closeAfter(QUIET);
  }

  binary(): void {
    this.message();
  }

  ping(): void {}

  pong(): void {}

  flush(): void {}

  closing(): void {}

  close(): void {
    this.#settle();
    if (!this.#opening) this.#sessions.delete(this);
    else this.#cancelTimer = this.#clock.after(UNSEEN_END, () => this.#sessions.delete(this));
  }

  /**
   * Ends the connection without waiting for the client. A socket that cannot be destroyed stays
   * counted until its client has ended it.
   */
  destroy(): void {
    // It has not been quiet until now.
    if (this.#cancelClose !== undefined) this.#close();
    this.#terminate();
  }

  #terminate(): void {
    this.#settle();
    this.#hangs = this.#peer === undefined;
    try {
      this.#peer?.terminate?.();
    } catch {
      // Nothing else can be tried.
      this.#sessions.delete(this);
    }
  }

  #closeAfter(time: number): void {
    this.#cancelClose?.();
    this.#cancelClose = this.#clock.after(time, () => this.#close());
  }

  #close(): void {
    this.#cancelClose?.();
    this.#cancelClose = undefined;
    const { closeCode, reason } = this.#notice;
    try {
      // Every adapter can send these codes: those from 4000 on are free for applications.
      this.#peer?.close(closeCode, reason, PATIENCE);
    } catch {
      this.#terminate();
    }
  }

  #settle(): void {
    this.#cancelTimer();
    this.#cancelClose?.();
    this.#cancelClose = undefined;
    this.#settled.resolve();
  }

  #startTimer(): () => void {
    return this.#clock.after(PATIENCE, () => this.destroy());
  }
}
