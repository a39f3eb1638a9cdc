/** One client's connection: from the handshake to the end of its `disconnect` flows. */
import type { Client, FlowHandler } from "../../contract/connector.ts";
import { admit } from "../../contract/dispatch.ts";
import type { Frame } from "../../transport/frame.ts";
import { type ClientFrame, decodeFrame, errorFrame, pongFrame, type Refusal } from "./protocol.ts";
import type { Peer, SocketFeatures, SocketSession } from "../../transport/socket.ts";
import { isLongerThan } from "../../base/text.ts";
import type { Arrival } from "./arrival.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import type { Credentials } from "./auth/credentials.ts";
import { Expiry } from "./auth/expiry.ts";
import {
  CLOSE_PATIENCE,
  type CloseReason,
  closeReason,
  counterOfClosing,
  counterOfViolation,
  SHUTDOWN_PATIENCE,
  SOCKET_FAILED,
  TOKEN_EXPIRED,
} from "./closing.ts";
import type { Counter, Counters } from "./counters.ts";
import { endEvent } from "./event.ts";
import { Inbox, type InboxHost, type InboxOwner } from "./inbox.ts";
import { OpenSocket, type SocketHost, type SocketOwner } from "./open-socket.ts";
import type { WebSocketOptions } from "./options.ts";
import { Pings } from "./pings.ts";

/** What a connection needs of the hub that it belongs to. */
export interface ConnectionHost extends SocketHost, InboxHost {
  readonly options: WebSocketOptions;
  /** Undefined where clients need no token. */
  readonly authenticator: Authenticator | undefined;
  readonly counters: Counters;
  /** The flows on one operation, in file order; undefined where no client can cause it. */
  handlers(operation: string): readonly FlowHandler[] | undefined;
  /** Serves a frame; undefined where it ended at once. Never rejects. */
  serve(connection: Connection, frame: ClientFrame): Promise<void> | undefined;
  /** From now on the connection gets what is sent. */
  opened(connection: Connection): void;
  /** An open connection has got its id. */
  named(connection: Connection, id: string): void;
  /** Takes a connection out of everything that is sent; it may still be closing. */
  remove(connection: Connection): void;
  /** The socket is gone, or was never opened. */
  released(): void;
  /** The last flow of the connection has ended. */
  finished(connection: Connection): void;
}

/** A client of a hub. What a connection does not need while it is idle is made on first use. */
export class Connection implements SocketSession, SocketOwner, InboxOwner {
  /** Who it is, and what it is in; changed by the hub alone. */
  readonly arrival: Arrival;
  readonly #hub: ConnectionHost;
  readonly #openedAt: number;
  #inbox: Inbox | undefined = undefined;
  #pings: Pings | undefined = undefined;
  #ended: PromiseWithResolvers<void> | undefined = undefined;
  /** Between `open` and `close`. */
  #socket: OpenSocket | undefined = undefined;
  /** The server is shutting down: what arrives after that is not served. */
  #stopped = false;
  /** Why the server ends it. */
  #closing: CloseReason | undefined = undefined;
  /** The hub counts the socket no longer. */
  #released = false;
  /** The last flow has ended. */
  #finished = false;

  /** The hub has accepted the handshake. */
  constructor(hub: ConnectionHost, arrival: Arrival) {
    this.#hub = hub;
    this.arrival = arrival;
    this.#openedAt = hub.clock.elapsed();
  }

  /** What expressions see of the client. */
  get client(): Client {
    const known = this.arrival.id !== undefined;
    const { client } = this.arrival;
    if (!known) this.#hub.named(this, client.id);
    return client;
  }

  /** The client's id; undefined where nobody has asked for it, so that nobody can know it. */
  get id(): string | undefined {
    return this.arrival.id;
  }

  get credentials(): Credentials {
    return this.arrival.credentials;
  }

  /** The rooms that it is in. */
  get rooms(): ReadonlySet<string> {
    return this.arrival.rooms;
  }

  open(peer: Peer, features: SocketFeatures): void {
    // Given up before it came: nobody counts it any more.
    if (this.#released) return peer.close(1000, "", CLOSE_PATIENCE);
    this.#socket = new OpenSocket(peer, features, this.#hub, this);
    this.#hub.opened(this);
    // The shutdown began between the handshake and now.
    if (this.#stopped) return this.end(1001, "the server is shutting down", SHUTDOWN_PATIENCE);
    if (this.#flows("connect").length > 0) {
      const { event, admitted } = this.arrival;
      this.#work().runAlone(event, () => admitted);
      this.arrival.settle();
    }
    if (this.#flows("disconnect").length > 0) this.arrival.remember();
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
    if (!this.#socket.limitsFrames && isLongerThan(text, this.#hub.options.max_message_size)) {
      return this.end(1009, "message too large");
    }
    const frame = decodeFrame(text);
    if ("code" in frame || frame.type !== "ping") return this.#work().push(frame, text.length);
    // At once, outside the order.
    const refusal = (this.#pings ??= new Pings(this.#hub.clock)).refusal(frame, text);
    if (refusal === undefined) this.send(pongFrame(frame.id));
    else this.refuse(refusal);
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
    if (this.#closing === undefined) this.#count(counterOfViolation({ code, reason }));
    if (this.#flows("disconnect").length > 0) this.#tellOfEnd(code, reason);
    if (this.#inbox === undefined || this.#inbox.isIdle) this.#finish();
    else this.#inbox.idle().then(() => this.#finish());
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
    if (frame.size > outboxes.limit) throw new RangeError("the error is too large to send");
    this.send(frame);
    counters.addError(refusal.code);
    const reason = this.#work().strike(refusal);
    if (reason !== undefined) this.end(1008, reason);
  }

  /** Ends the connection after what is queued for it. */
  end(code: number, reason: string, patience?: number): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    this.#socket.outbox.close();
    // The flush may have found a slow consumer and ended the connection already.
    if (this.#closing === undefined) this.#startClosing(code, reason, patience);
  }

  /** Serves no more frames; what is at work goes on. */
  stop(): void {
    this.#stopped = true;
    // A socket that is gone has only its disconnect flows left to run.
    if (this.#socket !== undefined) this.#inbox?.clear();
  }

  /** Resolves when nothing is at work. */
  idle(): Promise<void> {
    return this.#inbox?.idle() ?? Promise.resolve();
  }

  /** Closes with 1001; resolves when the socket is gone and its disconnect flows have ended. */
  async shutDown(): Promise<void> {
    if (this.#socket === undefined && !this.#released) this.abandon();
    this.end(1001, "the server is shutting down", SHUTDOWN_PATIENCE);
    if (this.#finished) return;
    this.#ended ??= Promise.withResolvers();
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

  /** Its queue is over the limit: what waits is dropped, and it gets a while to read the reason. */
  slow(): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    const { id } = this.client;
    this.#hub.logger.warn("client {id} reads too slowly and is closed", { id });
    this.#socket.outbox.discard();
    this.#startClosing(1013, "slow consumer");
  }

  failed(error: unknown): void {
    const { id } = this.client;
    this.#hub.logger.error("the socket of client {id} failed: {error}", { id, error });
    this.destroy(SOCKET_FAILED);
  }

  serve(frame: ClientFrame | Refusal): Promise<void> | undefined {
    return "code" in frame ? this.refuse(frame) : this.#hub.serve(this, frame);
  }

  pressure(high: boolean): void {
    if (high) this.#socket?.pause();
    else this.#socket?.resume();
  }

  #count(counter: Counter | undefined): void {
    if (counter !== undefined) this.#hub.counters.add(counter);
  }

  #release(): void {
    this.#released = true;
    this.#hub.released();
  }

  #finish(): void {
    this.#finished = true;
    this.arrival.leaveAll();
    this.#hub.finished(this);
    this.#ended?.resolve();
  }

  #startClosing(code: number, reason: string, patience = CLOSE_PATIENCE): void {
    if (this.#socket === undefined) return;
    this.#closing = { code, reason };
    this.#count(counterOfClosing(this.#closing));
    this.#inbox?.clear();
    this.#hub.remove(this);
    this.credentials.stop();
    this.#socket.close(code, reason, patience, () => this.destroy(reason));
  }

  #work(): Inbox {
    // What waits in it may be served when the connection is gone.
    this.arrival.remember();
    return this.#inbox ??= new Inbox(this.#hub, this);
  }

  #flows(operation: "connect" | "disconnect"): readonly FlowHandler[] {
    return this.#hub.handlers(operation) ?? [];
  }

  #tellOfEnd(code: number, reason: string): void {
    const why = closeReason(this.#closing, { code, reason });
    const event = endEvent(this.client, why, this.#hub.clock.elapsed() - this.#openedAt);
    this.#work().runAlone(event, () => admit(this.#flows("disconnect"), event));
  }
}
