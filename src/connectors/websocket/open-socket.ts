/** The socket of one connection between `open` and `close`, with its outbox and its heartbeat. */
import type { Outbox } from "../../outbox.ts";
import type { Peer, SocketFeatures } from "../../socket.ts";
import { endOfTick } from "../../tick.ts";
import { sentCode } from "./closing.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Outboxes } from "./slow-client/outboxes.ts";

/** What an open socket is made of. Times are in milliseconds. */
export interface OpenSocketOptions {
  readonly peer: Peer;
  readonly features: SocketFeatures;
  readonly outboxes: Outboxes;
  readonly pingInterval: number;
  readonly pongTimeout: number;
  /** Its queue is over the limit. */
  slow(): void;
  /** No pong came in time. */
  dead(): void;
}

/** A socket that can be sent to. */
export class OpenSocket {
  readonly outbox: Outbox;
  readonly #options: OpenSocketOptions;
  readonly #heartbeat: Heartbeat | undefined;
  #pingData: Uint8Array | undefined;
  #closing = false;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to ping, where the peer can. */
  constructor(options: OpenSocketOptions) {
    const { peer, outboxes, pingInterval, pongTimeout } = options;
    this.#options = options;
    this.outbox = outboxes.create(peer, () => options.slow());
    this.#heartbeat = peer.ping === undefined ? undefined : new Heartbeat({
      interval: pingInterval,
      timeout: pongTimeout,
      ping: () => peer.ping?.(),
      dead: () => options.dead(),
    });
  }

  /** Whether messages over the limit never get here. */
  get limitsFrames(): boolean {
    return this.#options.features.frameLimits;
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
    const { peer } = this.#options;
    if (peer.pause === undefined) return;
    this.#heartbeat?.pause();
    peer.pause();
  }

  /** Goes on reading. */
  resume(): void {
    const { peer } = this.#options;
    if (peer.resume === undefined || this.#closing) return;
    peer.resume();
    this.#heartbeat?.resume();
  }

  /** Starts the close handshake; `stuck` is called where nothing comes of it and the peer is weak. */
  close(code: number, reason: string, patience: number, stuck: () => void): void {
    const { peer, features } = this.#options;
    this.#closing = true;
    this.#heartbeat?.stop();
    // A paused socket would never see the answer to its close frame.
    peer.resume?.();
    peer.close(sentCode(features, code), reason, patience);
    if (peer.terminate === undefined) this.#closeTimer = setTimeout(stuck, patience);
  }

  /** Destroys it, where the peer can. */
  terminate(): void {
    this.#options.peer.terminate?.();
  }

  /** It is gone. */
  release(): void {
    this.#closing = true;
    this.#heartbeat?.stop();
    clearTimeout(this.#closeTimer);
    this.outbox.discard();
  }

  #answerPing(): void {
    const { peer, outboxes, slow } = this.#options;
    const data = this.#pingData;
    this.#pingData = undefined;
    if (this.#closing || data === undefined) return;
    // Pongs that nobody reads fill the same buffer.
    if (peer.bufferedAmount > outboxes.limit) slow();
    else peer.pong?.(data);
  }
}
