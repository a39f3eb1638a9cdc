/** One client's connection: from the handshake to the end of its `disconnect` flows. */
import type { Client, FlowHandler, Logger } from "../../connector.ts";
import { admit, dispatch } from "../../dispatch.ts";
import type { Frame } from "../../frame.ts";
import { type Flusher, Outbox } from "../../outbox.ts";
import {
  type ClientFrame,
  decodeFrame,
  errorFrame,
  pongFrame,
  type Refusal,
} from "../../protocol.ts";
import type { Peer, SocketFeatures, SocketSession } from "../../socket.ts";
import { endOfTick } from "../../tick.ts";
import { isLongerThan } from "../../utf8.ts";
import type { Arrival } from "./arrival.ts";
import { type CloseReason, closeReason, sentCode } from "./closing.ts";
import { SocketEvent } from "./event.ts";
import { Heartbeat } from "./heartbeat.ts";
import { OUTBOX_LIMIT, type WebSocketOptions } from "./options.ts";
import { RateWindow } from "./rate.ts";
import { WorkQueue } from "./work.ts";

/** More error answers than this in this time, in milliseconds, and the client is sent away. */
const MAX_ERRORS = 100;
const ERROR_WINDOW = 10_000;
/** A closing socket on which nothing moves for so long is destroyed, in milliseconds. */
const CLOSE_PATIENCE = 10_000;
/** The same while the server shuts down. */
const SHUTDOWN_PATIENCE = 3_000;

/** What a connection needs of the hub that it belongs to. */
export interface ConnectionHost {
  readonly options: WebSocketOptions;
  readonly logger: Logger;
  readonly flusher: Flusher;
  /** The flows on one operation, in file order; undefined where no client can cause it. */
  handlers(operation: string): readonly FlowHandler[] | undefined;
  /** Serves a frame; undefined where it ended at once. Never rejects. */
  serve(connection: Connection, frame: ClientFrame): Promise<void> | undefined;
  /** From now on the connection gets what is sent. */
  opened(connection: Connection): void;
  /** Takes a connection out of everything that is sent; it may still be closing. */
  remove(connection: Connection): void;
  /** The socket is gone, or was never opened. */
  released(): void;
  /** The last flow of the connection has ended. */
  finished(connection: Connection): void;
}

/** What there is between `open` and `close`. */
interface Socket {
  readonly peer: Peer;
  readonly features: SocketFeatures;
  readonly outbox: Outbox;
  readonly heartbeat: Heartbeat | undefined;
}

/** A client of a hub. */
export class Connection implements SocketSession {
  readonly client: Client;
  /** Changed by the hub alone. */
  readonly rooms: Set<string>;
  readonly #hub: ConnectionHost;
  readonly #work: WorkQueue<ClientFrame | Refusal>;
  readonly #errors = new RateWindow(MAX_ERRORS, ERROR_WINDOW);
  readonly #openedAt = performance.now();
  readonly #ended = Promise.withResolvers<void>();
  /** Until the connection is open. */
  #arrival: Arrival | undefined;
  #socket: Socket | undefined;
  /** The server is shutting down: what arrives after that is not served. */
  #stopped = false;
  /** Why the server ends it. */
  #closing: CloseReason | undefined;
  #pingData: Uint8Array | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;
  /** The hub counts the socket no longer. */
  #released = false;

  /** The hub has accepted the handshake. */
  constructor(hub: ConnectionHost, arrival: Arrival) {
    this.#hub = hub;
    this.#arrival = arrival;
    this.client = arrival.client;
    this.rooms = arrival.rooms;
    this.#work = new WorkQueue<ClientFrame | Refusal>(
      hub.options.concurrency,
      (frame) => "code" in frame ? this.refuse(frame) : hub.serve(this, frame),
      (high) => high ? this.#pause() : this.#resume(),
    );
  }

  open(peer: Peer, features: SocketFeatures): void {
    // Given up before it came: nobody counts it any more.
    if (this.#released) return peer.close(1000, "", CLOSE_PATIENCE);
    const { ping_interval, pong_timeout } = this.#hub.options;
    const outbox = new Outbox(this.#hub.flusher, peer, OUTBOX_LIMIT, () => this.#slow());
    const heartbeat = peer.ping === undefined ? undefined : new Heartbeat({
      interval: ping_interval,
      timeout: pong_timeout,
      ping: () => peer.ping?.(),
      dead: () => this.destroy("no pong in time"),
    });
    this.#socket = { peer, features, outbox, heartbeat };
    this.#hub.opened(this);
    // The shutdown began between the handshake and now.
    if (this.#stopped) return this.end(1001, "the server is shutting down", SHUTDOWN_PATIENCE);
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (arrival !== undefined) this.#runAlone(arrival.event, () => arrival.admitted);
  }

  abandon(): void {
    if (this.#released) return;
    this.#release();
    this.#finish();
  }

  message(text: string): void {
    if (this.#stopped || this.#closing !== undefined || this.#socket === undefined) return;
    const { features } = this.#socket;
    const { max_message_size } = this.#hub.options;
    if (!features.frameLimits && isLongerThan(text, max_message_size)) {
      return this.end(1009, "message too large");
    }
    const frame = decodeFrame(text);
    if ("code" in frame || frame.type !== "ping") return this.#work.push(frame);
    // A browser cannot see ping frames, so this stands in for one: at once, outside the order.
    this.send(pongFrame(frame.id));
  }

  binary(): void {
    this.end(1003, "text frames only");
  }

  /** Many pings in one read get one pong: the newest one's. */
  ping(data: Uint8Array): void {
    const due = this.#pingData !== undefined;
    this.#pingData = data;
    if (due) return;
    endOfTick(() => {
      const { peer } = this.#socket ?? {};
      if (this.#closing === undefined && peer !== undefined) {
        if (peer.bufferedAmount > OUTBOX_LIMIT) this.#slow();
        else peer.pong?.(this.#pingData ?? data);
      }
      this.#pingData = undefined;
    });
  }

  pong(): void {
    this.#socket?.heartbeat?.pong();
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.heartbeat?.stop();
    socket.outbox.discard();
    clearTimeout(this.#closeTimer);
    this.#hub.remove(this);
    this.#release();
    const facts = {
      ...closeReason(this.#closing, { code, reason }),
      rooms: [...this.rooms],
      duration_ms: Math.round(performance.now() - this.#openedAt),
    };
    const event = new SocketEvent("disconnect", facts, this.client, undefined, facts);
    this.#runAlone(event, () => admit(this.#hub.handlers(event.operation) ?? [], event));
    this.#work.idle().then(() => this.#finish());
  }

  /** Queues a frame; false where the connection is no longer open. */
  send(frame: Frame): boolean {
    return this.#socket?.outbox.push(frame) ?? false;
  }

  /**
   * Answers a frame with an error; a client that causes too many is sent away.
   *
   * @throws {TypeError | RangeError} Its details are no JSON, or too large to send.
   */
  refuse(refusal: Refusal): undefined {
    const frame = errorFrame(refusal);
    if (frame.bytes.length > OUTBOX_LIMIT) throw new RangeError("the error is too large to send");
    this.send(frame);
    if (this.#errors.hit()) this.end(1008, "too many errors");
  }

  /** Ends the connection after what is queued for it. */
  end(code: number, reason: string, patience?: number): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    const { outbox } = this.#socket;
    outbox.close();
    // The flush may have found a slow consumer and ended the connection already.
    if (this.#closing === undefined) this.#startClosing(code, reason, patience);
  }

  /** Serves no more frames; what is at work goes on. */
  stop(): void {
    this.#stopped = true;
    // A socket that is gone has only its disconnect flows left to run.
    if (this.#socket !== undefined) this.#work.clear();
  }

  /** Resolves when nothing is at work. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  /** Closes with 1001; resolves when the socket is gone and its disconnect flows have ended. */
  async shutDown(): Promise<void> {
    if (this.#socket === undefined && !this.#released) this.abandon();
    this.end(1001, "the server is shutting down", SHUTDOWN_PATIENCE);
    await this.#ended.promise;
  }

  /** Ends the connection without a close frame. */
  destroy(reason: string): void {
    if (this.#socket === undefined) return;
    const { peer } = this.#socket;
    this.#closing ??= { code: 1006, reason };
    peer.terminate?.();
    // A socket that cannot be destroyed is given up: it is closing, and nobody waits for it.
    this.close(1006, reason);
  }

  #release(): void {
    this.#released = true;
    this.#hub.released();
  }

  #finish(): void {
    this.rooms.clear();
    this.#hub.finished(this);
    this.#ended.resolve();
  }

  #startClosing(code: number, reason: string, patience = CLOSE_PATIENCE): void {
    if (this.#socket === undefined) return;
    const { peer, features, heartbeat } = this.#socket;
    this.#closing = { code, reason };
    this.#work.clear();
    this.#hub.remove(this);
    heartbeat?.stop();
    // A paused socket would never see the answer to its close frame.
    peer.resume?.();
    peer.close(sentCode(features, code), reason, patience);
    if (peer.terminate === undefined) {
      this.#closeTimer = setTimeout(() => this.destroy(reason), patience);
    }
  }

  /** Its queue is over the limit: what waits is dropped, and it gets a while to read the reason. */
  #slow(): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    const { outbox } = this.#socket;
    this.#hub.logger.warn("client {id} reads too slowly and is closed", { id: this.client.id });
    outbox.discard();
    this.#startClosing(1013, "slow consumer");
  }

  #pause(): void {
    const { peer, heartbeat } = this.#socket ?? {};
    if (peer?.pause === undefined) return;
    heartbeat?.pause();
    peer.pause();
  }

  #resume(): void {
    const { peer, heartbeat } = this.#socket ?? {};
    if (peer?.resume === undefined || this.#closing !== undefined) return;
    peer.resume();
    heartbeat?.resume();
  }

  /** Nobody is answered for `connect` and `disconnect`: their flows have logged what failed. */
  #runAlone(event: SocketEvent, flows: () => readonly FlowHandler[]): void {
    if (this.#hub.handlers(event.operation)?.length === 0) return;
    this.#work.pushAlone(async () => {
      try {
        await dispatch(flows(), event).all;
      } catch (error) {
        this.#hub.logger.error("{operation} failed: {error}", {
          operation: event.operation,
          error,
        });
      }
    });
  }
}
