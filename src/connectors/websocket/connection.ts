/** One client's connection: from the handshake to the end of its `disconnect` flows. */
import type { Clock } from "../../clock.ts";
import type { Client, FlowHandler, Logger } from "../../connector.ts";
import { admit, dispatch } from "../../dispatch.ts";
import type { Frame } from "../../frame.ts";
import {
  type ClientFrame,
  decodeFrame,
  errorFrame,
  pongFrame,
  type Refusal,
} from "../../protocol.ts";
import type { Peer, SocketFeatures, SocketSession } from "../../socket.ts";
import { isLongerThan } from "../../utf8.ts";
import type { Arrival } from "./arrival.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import type { Credentials } from "./auth/credentials.ts";
import { Expiry } from "./auth/expiry.ts";
import {
  type CloseReason,
  closeReason,
  counterOfClosing,
  counterOfViolation,
  NO_PONG,
  TOKEN_EXPIRED,
} from "./closing.ts";
import type { Counter, Counters } from "./counters.ts";
import { SocketEvent } from "./event.ts";
import { Limits } from "./limits.ts";
import { OpenSocket } from "./open-socket.ts";
import type { WebSocketOptions } from "./options.ts";
import type { Outboxes } from "./slow-client/outboxes.ts";
import { WorkQueue } from "./work.ts";

/** A closing socket on which nothing moves for so long is destroyed, in milliseconds. */
const CLOSE_PATIENCE = 10_000;
/** The same while the server shuts down. */
const SHUTDOWN_PATIENCE = 3_000;

/** What a connection needs of the hub that it belongs to. */
export interface ConnectionHost {
  readonly options: WebSocketOptions;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Undefined where clients need no token. */
  readonly authenticator: Authenticator | undefined;
  readonly counters: Counters;
  readonly outboxes: Outboxes;
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

/** A client of a hub. */
export class Connection implements SocketSession {
  readonly client: Client;
  readonly credentials: Credentials;
  /** Changed by the hub alone. */
  readonly rooms: Set<string>;
  readonly #hub: ConnectionHost;
  readonly #work: WorkQueue<ClientFrame | Refusal>;
  readonly #limits: Limits;
  readonly #openedAt: number;
  readonly #ended = Promise.withResolvers<void>();
  /** Until the connection is open. */
  #arrival: Arrival | undefined;
  /** Between `open` and `close`. */
  #socket: OpenSocket | undefined;
  /** The server is shutting down: what arrives after that is not served. */
  #stopped = false;
  /** Why the server ends it. */
  #closing: CloseReason | undefined;
  /** The hub counts the socket no longer. */
  #released = false;

  /** The hub has accepted the handshake. */
  constructor(hub: ConnectionHost, arrival: Arrival) {
    this.#hub = hub;
    this.#arrival = arrival;
    this.#openedAt = hub.clock.elapsed();
    this.client = arrival.client;
    this.credentials = arrival.credentials;
    this.rooms = arrival.rooms;
    this.#limits = new Limits(hub.options.rate_limit, hub.clock);
    this.#work = new WorkQueue<ClientFrame | Refusal>(
      hub.options.concurrency,
      (frame) => "code" in frame ? this.refuse(frame) : hub.serve(this, frame),
      (high) => high ? this.#socket?.pause() : this.#socket?.resume(),
    );
  }

  open(peer: Peer, features: SocketFeatures): void {
    // Given up before it came: nobody counts it any more.
    if (this.#released) return peer.close(1000, "", CLOSE_PATIENCE);
    const { ping_interval, pong_timeout } = this.#hub.options;
    this.#socket = new OpenSocket({
      peer,
      features,
      outboxes: this.#hub.outboxes,
      pingInterval: ping_interval,
      pongTimeout: pong_timeout,
      slow: () => this.#slow(),
      dead: () => this.destroy(NO_PONG),
    });
    this.#hub.opened(this);
    // The shutdown began between the handshake and now.
    if (this.#stopped) return this.end(1001, "the server is shutting down", SHUTDOWN_PATIENCE);
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (arrival !== undefined) this.#runAlone(arrival.event, () => arrival.admitted);
    if (this.#hub.authenticator === undefined) return;
    this.credentials.watch(new Expiry(this.#hub.clock, () => this.end(1008, TOKEN_EXPIRED)));
  }

  abandon(): void {
    if (this.#released) return;
    this.#release();
    this.#finish();
  }

  message(text: string): void {
    if (this.#stopped || this.#closing !== undefined || this.#socket === undefined) return;
    const { max_message_size } = this.#hub.options;
    if (!this.#socket.limitsFrames && isLongerThan(text, max_message_size)) {
      return this.end(1009, "message too large");
    }
    const frame = decodeFrame(text);
    if ("code" in frame || frame.type !== "ping") return this.#work.push(this.#limits.admit(frame));
    // A browser cannot see ping frames, so this stands in for one: at once, outside the order.
    this.send(pongFrame(frame.id));
  }

  binary(): void {
    this.end(1003, "text frames only");
  }

  ping(data: Uint8Array): void {
    this.#socket?.answerPing(data);
  }

  pong(): void {
    this.#socket?.pong();
  }

  flush(): void {
    this.#socket?.outbox.flush();
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.release();
    this.credentials.stop();
    this.#hub.remove(this);
    this.#release();
    if (this.#closing === undefined) this.#count(counterOfViolation(code));
    const facts = {
      ...closeReason(this.#closing, { code, reason }),
      rooms: [...this.rooms],
      duration_ms: Math.round(this.#hub.clock.elapsed() - this.#openedAt),
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
    const { counters, outboxes } = this.#hub;
    if (frame.bytes.length > outboxes.limit) throw new RangeError("the error is too large to send");
    this.send(frame);
    counters.addError(refusal.code);
    const reason = this.#limits.strike(refusal);
    if (reason !== undefined) this.end(1008, reason);
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
    const socket = this.#socket;
    if (this.#closing === undefined) {
      this.#closing = { code: 1006, reason };
      this.#count(counterOfClosing(this.#closing));
    }
    socket.terminate();
    // A socket that cannot be destroyed is given up: it is closing, and nobody waits for it.
    this.close(1006, reason);
  }

  #count(counter: Counter | undefined): void {
    if (counter !== undefined) this.#hub.counters.add(counter);
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
    this.#closing = { code, reason };
    this.#count(counterOfClosing(this.#closing));
    this.#work.clear();
    this.#hub.remove(this);
    this.credentials.stop();
    this.#socket.close(code, reason, patience, () => this.destroy(reason));
  }

  /** Its queue is over the limit: what waits is dropped, and it gets a while to read the reason. */
  #slow(): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    const { outbox } = this.#socket;
    this.#hub.logger.warn("client {id} reads too slowly and is closed", { id: this.client.id });
    outbox.discard();
    this.#startClosing(1013, "slow consumer");
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
