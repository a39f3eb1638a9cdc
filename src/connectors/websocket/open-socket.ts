/** The socket of one connection between `open` and `close`, with its outbox and its heartbeat. */
import type { Outbox, OutboxOwner } from "./outbox.ts";
import type { Peer, SocketFeatures } from "../../transport/socket.ts";
import { endOfTick } from "../../base/clock.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import { NO_PONG, sentCode } from "./closing.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import type { Outboxes } from "./slow-client/outboxes.ts";

/** What the open sockets of one connector share. Times are in milliseconds. */
export interface SocketHost {
  readonly options: { readonly ping_interval: number; readonly pong_timeout: number };
  readonly outboxes: Outboxes;
  /** For heartbeats. */
  readonly wheel: TimerWheel;
}

/** What hears of an open socket. */
export interface SocketOwner extends OutboxOwner {
  /** Ends the connection without a close frame. */
  destroy(reason: string): void;
}

/** A socket that can be sent to. */
export class OpenSocket implements HeartbeatOptions {
  readonly outbox: Outbox;
  readonly #peer: Peer;
  readonly #features: SocketFeatures;
  readonly #host: SocketHost;
  readonly #owner: SocketOwner;
  readonly #heartbeat: Heartbeat | undefined;
  #pingData: Uint8Array | undefined = undefined;
  #closing = false;
  #paused = false;
  /** The heartbeat still takes it for paused. */
  #silent = false;
  #closeTimer: ReturnType<typeof setTimeout> | undefined = undefined;

  /** Begins to ping, where the peer can. */
  constructor(peer: Peer, features: SocketFeatures, host: SocketHost, owner: SocketOwner) {
    this.#peer = peer;
    this.#features = features;
    this.#host = host;
    this.#owner = owner;
    this.outbox = host.outboxes.create(peer, owner);
    this.#heartbeat = peer.ping === undefined ? undefined : new Heartbeat(this, host.wheel);
  }

  get interval(): number {
    return this.#host.options.ping_interval;
  }

  get timeout(): number {
    return this.#host.options.pong_timeout;
  }

  ping(): void {
    this.#attempt(() => this.#peer.ping?.());
  }

  dead(): void {
    this.#owner.destroy(NO_PONG);
  }

  /** Whether messages over the limit never get here. */
  get limitsFrames(): boolean {
    return this.#features.frameLimits;
  }

  /** Answers a ping. Many pings in one read get one pong: the newest one's. */
  answerPing(data: Uint8Array): void {
    const due = this.#pingData !== undefined;
    this.#pingData = data;
    if (!due) endOfTick(() => this.#answerPing());
  }

  /** A pong has come. */
  pong(): void {
    this.#heartbeat?.pong();
  }

  /** Stops reading. */
  pause(): void {
    const peer = this.#peer;
    if (peer.pause === undefined) return;
    this.#paused = true;
    this.#silent = true;
    this.#heartbeat?.pause();
    this.#attempt(() => peer.pause?.());
  }

  /** Goes on reading. */
  resume(): void {
    const peer = this.#peer;
    if (peer.resume === undefined || this.#closing) return;
    this.#paused = false;
    this.#attempt(() => peer.resume?.());
    // What is read first often fills the queue again: then no ping is sent.
    endOfTick(() => {
      if (this.#paused || this.#closing || !this.#silent) return;
      this.#silent = false;
      this.#heartbeat?.resume();
    });
  }

  /** Starts the close handshake; `stuck` is called where nothing comes of it and the peer is weak. */
  close(code: number, reason: string, patience: number, stuck: () => void): void {
    const peer = this.#peer;
    this.#closing = true;
    this.#heartbeat?.stop();
    if (peer.terminate === undefined) this.#closeTimer = setTimeout(stuck, patience);
    this.#attempt(() => {
      // A paused socket would never see the answer to its close frame.
      peer.resume?.();
      peer.close(sentCode(this.#features, code), reason, patience);
    });
  }

  /** Destroys it, where the peer can. */
  terminate(): void {
    try {
      this.#peer.terminate?.();
    } catch {
      // Nothing else can be tried. The owner forgets the socket all the same.
    }
  }

  /** It is gone. */
  release(): void {
    this.#closing = true;
    this.#heartbeat?.stop();
    clearTimeout(this.#closeTimer);
    this.outbox.discard();
  }

  /** A peer that throws must not stop a loop over all connections. */
  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#owner.failed(error);
    }
  }

  #answerPing(): void {
    const peer = this.#peer;
    const data = this.#pingData;
    this.#pingData = undefined;
    if (this.#closing || data === undefined) return;
    this.#attempt(() => {
      // Pongs that nobody reads fill the same buffer.
      if (peer.bufferedAmount > this.#host.outboxes.limit) this.#owner.slow();
      else peer.pong?.(data);
    });
  }
}
