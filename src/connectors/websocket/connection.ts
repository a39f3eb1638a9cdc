/** One client's connection: from the handshake to the end of its `disconnect` flows. */
import { isLongerThan } from "../../base/text.ts";
import type { Client, FlowHandler } from "../../contract/connector.ts";
import { admit } from "../../contract/dispatch.ts";
import type { Frame } from "../../transport/frame.ts";
import type { Peer, SocketFeatures, SocketSession } from "../../transport/socket.ts";
import type { PendingConnection } from "./admission.ts";
import { Expiry } from "./credentials.ts";
import { type ClientState, disconnectEvent } from "./client.ts";
import {
  CANNOT_SUBSCRIBE,
  CLOSE_PATIENCE,
  type CloseReason,
  closeReason,
  counterOfClosing,
  endsForGood,
  NO_PONG,
  SHUTDOWN_PATIENCE,
  SOCKET_FAILED,
  TOKEN_EXPIRED,
} from "./closing.ts";
import type { UserInterest } from "./instances/interest.ts";
import { PingLimit } from "./limits.ts";
import { OpenSocket, type SocketListener } from "./open-socket.ts";
import type { Outbox } from "./outbox.ts";
import { decodeFrame, errorFrame, pongFrame, type Refusal } from "./protocol.ts";
import { FrameQueue } from "./queue.ts";
import type { OpenConnection } from "./registry.ts";
import type { Shared } from "./parts.ts";

/** A connection of a hub. What it does not need while it is idle is made on first use. */
export class Connection implements SocketSession, OpenConnection, SocketListener {
  readonly state: ClientState;
  readonly #shared: Shared;
  readonly #connections: Set<Connection>;
  readonly #openedAt: number;
  /** In what the other instances send to its user; undefined without a user or instances. */
  readonly #interest: UserInterest | undefined;
  /** Until the socket is open. */
  #pending: PendingConnection | undefined;
  /** Between `open` and `close`. */
  #socket: OpenSocket | undefined = undefined;
  #queue: FrameQueue | undefined = undefined;
  #pings: PingLimit | undefined = undefined;
  #ended: PromiseWithResolvers<void> | undefined = undefined;
  /** The server is shutting down: frames that arrive after that are not served. */
  #stopped = false;
  /** Why the server closes it. */
  #closing: CloseReason | undefined = undefined;
  /** Its slot is free again. */
  #released = false;
  /** The last flow has ended. */
  #finished = false;
  /** Its flows on `connect` wait until its user is listened to, or were dropped meanwhile. */
  #connect: "waits" | "dropped" | undefined = undefined;
  /** Settles when its user is listened to; undefined from then on. Never rejects. */
  #listening: Promise<void> | undefined = undefined;

  /** Adds itself to `connections`, and removes itself when its last flow has ended. */
  constructor(shared: Shared, pending: PendingConnection, connections: Set<Connection>) {
    this.#shared = shared;
    this.#pending = pending;
    this.#connections = connections;
    this.state = pending.state;
    this.#openedAt = shared.clock.elapsed();
    connections.add(this);
    const { userId } = this.state.credentials.identity;
    this.#interest = userId === null ? undefined : shared.interest?.ofUser(userId);
  }

  get client(): Client {
    const known = this.state.id !== undefined;
    const { facts } = this.state;
    if (!known) this.#shared.registry.setId(this, facts.id);
    return facts;
  }

  get id(): string | undefined {
    return this.state.id;
  }

  get outbox(): Outbox | undefined {
    return this.#socket?.outbox;
  }

  open(peer: Peer, features: SocketFeatures): void {
    const { clock, registry, authenticator } = this.#shared;
    const pending = this.#pending;
    this.#pending = undefined;
    // It was abandoned before, and its slot is free again.
    if (this.#released) return peer.close(1000, "", CLOSE_PATIENCE);
    this.#socket = new OpenSocket(peer, features, this.#shared, this);
    registry.add(this);
    // The shutdown began after the handshake.
    if (this.#stopped) return this.end(1001, "the server is shutting down", SHUTDOWN_PATIENCE);
    if (this.#interest?.ready !== undefined) this.#waitFor(this.#interest.ready);
    if (pending !== undefined && this.#flows("connect").length > 0) {
      const { event, flows } = pending;
      this.work().runAlone(event, () => flows);
    }
    if (this.#flows("disconnect").length > 0) this.state.remember();
    if (authenticator === undefined) return;
    this.state.credentials.watch(new Expiry(clock, () => this.end(1008, TOKEN_EXPIRED)));
  }

  abandon(): void {
    if (this.#released) return;
    this.#release();
    this.#finish();
  }

  message(text: string): void {
    if (this.#stopped || this.#closing !== undefined || this.#socket === undefined) return;
    const { options, clock, arrivals } = this.#shared;
    if (!this.#socket.limitsFrames && isLongerThan(text, options.max_message_size)) {
      return this.end(1009, "message too large");
    }
    const frame = decodeFrame(text);
    arrivals.add("code" in frame ? undefined : frame.type);
    if ("code" in frame || frame.type !== "ping") return this.work().push(frame, text.length);
    // Pings are answered at once, outside the order.
    const refusal = (this.#pings ??= new PingLimit(clock)).refusal(frame, text);
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

  closing(): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    this.#socket.outbox.close();
    this.#shared.registry.remove(this);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.release();
    this.state.credentials.stop();
    this.#shared.registry.remove(this);
    this.#release();
    this.#shared.departures.add(this.#closing, { code, reason });
    if (endsForGood(this.#closing, code)) this.#shared.features.ended(this);
    // Without its `connect` nothing has begun that could end.
    const isConnected = this.#connect !== "dropped";
    if (isConnected && this.#flows("disconnect").length > 0) this.#runDisconnect(code, reason);
    if (this.#queue === undefined || this.#queue.isIdle) this.#finish();
    else this.#queue.idle().then(() => this.#finish());
  }

  send(frame: Frame): boolean {
    return this.#socket?.outbox.push(frame) ?? false;
  }

  refuse(refusal: Refusal): undefined {
    const frame = errorFrame(refusal);
    const { counters, outboxes } = this.#shared;
    if (frame.size > outboxes.limit) throw new RangeError("the error is too large to send");
    this.send(frame);
    counters.addError(refusal.code);
    const reason = this.work().countError(refusal);
    if (reason !== undefined) this.end(1008, reason);
  }

  end(code: number, reason: string, patience?: number): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    this.#socket.outbox.close();
    // The flush may have found a slow client and closed the connection already.
    if (this.#closing === undefined) this.#startClosing(code, reason, patience);
  }

  /** Serves no more frames; flows that run go on. */
  stop(): void {
    this.#stopped = true;
    // Without a socket only the disconnect flows are left, and they still run.
    if (this.#socket !== undefined) this.#clear();
  }

  /** Resolves when no flow runs or waits. */
  idle(): Promise<void> {
    return this.#queue?.idle() ?? Promise.resolve();
  }

  /** Closes with 1001. Resolves when the socket is gone and its disconnect flows have ended. */
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
      this.#shared.counters.add(counterOfClosing(this.#closing));
    }
    socket.terminate();
    // A socket that cannot be destroyed is given up: it is closing, and nothing waits for it.
    this.close(1006, reason);
  }

  /** Drops what is queued. The client has some time to read the reason of the close. */
  slow(): void {
    if (this.#closing !== undefined || this.#socket === undefined) return;
    this.#shared.logger.warn("closing client {id}: it reads too slowly", { id: this.client.id });
    this.#socket.outbox.discard();
    this.#startClosing(1013, "slow consumer");
  }

  failed(error: unknown): void {
    this.#shared.logger.error("the socket of {id} failed: {error}", { id: this.client.id, error });
    this.destroy(SOCKET_FAILED);
  }

  dead(): void {
    this.destroy(NO_PONG);
  }

  #release(): void {
    this.#released = true;
    this.#interest?.end();
    this.#shared.slots.release();
  }

  #finish(): void {
    this.#finished = true;
    this.state.leaveAll();
    this.#connections.delete(this);
    this.#ended?.resolve();
  }

  #startClosing(code: number, reason: string, patience = CLOSE_PATIENCE): void {
    if (this.#socket === undefined) return;
    this.#closing = { code, reason };
    this.#shared.counters.add(counterOfClosing(this.#closing));
    this.#clear();
    this.#shared.registry.remove(this);
    if (endsForGood(this.#closing, code)) this.#shared.features.ended(this);
    this.state.credentials.stop();
    this.#socket.close(code, reason, patience, () => this.destroy(reason));
  }

  /** The queue of what its client has asked for, made on first use. */
  work(): FrameQueue {
    if (this.#queue !== undefined) return this.#queue;
    // What waits in it may be served after the connection has ended.
    this.state.remember();
    const pressure = (high: boolean) => high ? this.#socket?.pause() : this.#socket?.resume();
    this.#queue = new FrameQueue(this.#shared, this, pressure);
    if (this.#listening !== undefined) this.#queue.waitFor(this.#listening);
    return this.#queue;
  }

  /** What the client asks for must wait until it can receive all that follows. */
  #waitFor(ready: Promise<boolean>): void {
    this.#connect = "waits";
    this.#listening = ready.then((isReady) => {
      this.#listening = undefined;
      if (!isReady) this.end(1013, CANNOT_SUBSCRIBE);
      if (this.#connect === "waits") this.#connect = undefined;
    });
  }

  #clear(): void {
    if (this.#connect === "waits") this.#connect = "dropped";
    this.#queue?.clear();
  }

  #flows(operation: "connect" | "disconnect"): readonly FlowHandler[] {
    return this.#shared.flows.of(operation) ?? [];
  }

  #runDisconnect(code: number, reason: string): void {
    const why = closeReason(this.#closing, { code, reason });
    const duration = this.#shared.clock.elapsed() - this.#openedAt;
    const event = disconnectEvent(this.client, why, duration);
    this.work().runAlone(event, () => admit(this.#flows("disconnect"), event));
  }
}
