/** The socket of one connection between `open` and `close`, with its outbox and its heartbeat. */
import { endOfTick } from "../../base/clock.ts";
import type { Peer, SocketFeatures } from "../../transport/socket.ts";
import { sentCode } from "./closing.ts";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";
import type { Outbox } from "./outbox.ts";
import type { Shared } from "./parts.ts";
import type { OutboxListener } from "./sink.ts";

/** Is notified of what happens to an open socket. */
export interface SocketListener extends OutboxListener {
  /** No pong came in time. */
  dead(): void;
  /** Knows whether its client wants to be told where messages of a room may be missing. */
  readonly state: { wantsResync(room: string): boolean };
}

/** A socket that can be sent to. */
export class OpenSocket implements HeartbeatOptions {
  readonly outbox: Outbox;
  readonly #peer: Peer;
  readonly #features: SocketFeatures;
  readonly #shared: Shared;
  readonly #listener: SocketListener;
  readonly #heartbeat: Heartbeat | undefined;
  #pingData: Uint8Array | undefined = undefined;
  #closing = false;
  #paused = false;
  /** The heartbeat has not been resumed since the last pause. */
  #silent = false;
  #closeTimer: ReturnType<typeof setTimeout> | undefined = undefined;

  /** Starts the heartbeat, where the peer can ping. */
  constructor(peer: Peer, features: SocketFeatures, shared: Shared, listener: SocketListener) {
    this.#peer = peer;
    this.#features = features;
    this.#shared = shared;
    this.#listener = listener;
    this.outbox = shared.outboxes.create(
      peer,
      listener,
      (room) => listener.state.wantsResync(room),
    );
    this.#heartbeat = peer.ping === undefined ? undefined : new Heartbeat(this, shared.wheel);
  }

  get interval(): number {
    return this.#shared.options.ping_interval;
  }

  get timeout(): number {
    return this.#shared.options.pong_timeout;
  }

  ping(): void {
    this.#attempt(() => this.#peer.ping?.());
  }

  dead(): void {
    this.#listener.dead();
  }

  /** Whether the runtime refuses messages over the limit. */
  get limitsFrames(): boolean {
    return this.#features.frameLimits;
  }

  /** Answers a ping. Of many pings in one read, only the newest is answered. */
  answerPing(data: Uint8Array): void {
    const due = this.#pingData !== undefined;
    this.#pingData = data;
    if (!due) endOfTick(() => this.#answerPing());
  }

  /** A pong has arrived. */
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
    // The first read often fills the queue again: then no ping is sent.
    endOfTick(() => {
      if (this.#paused || this.#closing || !this.#silent) return;
      this.#silent = false;
      this.#heartbeat?.resume();
    });
  }

  /** Starts the close handshake. Calls `stuck` after `patience` where the peer cannot terminate. */
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

  /** Destroys the socket, where the peer can. */
  terminate(): void {
    try {
      this.#peer.terminate?.();
    } catch {
      // Nothing else can be tried, and the connection forgets the socket anyway.
    }
  }

  /** The socket is gone. */
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
      this.#listener.failed(error);
    }
  }

  #answerPing(): void {
    const peer = this.#peer;
    const data = this.#pingData;
    this.#pingData = undefined;
    if (this.#closing || data === undefined) return;
    this.#attempt(() => {
      // Pongs that the client does not read fill the same buffer.
      if (peer.bufferedAmount > this.#shared.outboxes.limit) this.#listener.slow();
      else peer.pong?.(data);
    });
  }
}
