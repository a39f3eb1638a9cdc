/** One stream: a connection whose client sends nothing. */
import type { Peer, SocketFeatures, SocketSession } from "../../../transport/socket.ts";
import type { Connection } from "../connection.ts";
import { afterJoin } from "../frames.ts";
import { enterRoom } from "../joining.ts";
import type { Shared } from "../parts.ts";
import type { Refusal } from "../protocol.ts";
import type { Entry, Join } from "./admission.ts";

/** Puts a client into its rooms as soon as its stream is open. All else is its connection's. */
export class StreamSession implements SocketSession {
  readonly #shared: Shared;
  readonly #connection: Connection;
  readonly #entry: Entry;

  /** The client may join everything in `entry`. */
  constructor(shared: Shared, connection: Connection, entry: Entry) {
    this.#shared = shared;
    this.#connection = connection;
    this.#entry = entry;
  }

  open(peer: Peer, features: SocketFeatures): void {
    this.#connection.open(peer, features);
    for (const join of this.#entry.joins) this.#join(join);
    this.#entry.release();
  }

  abandon(): void {
    this.#entry.release();
    this.#connection.abandon();
  }

  pong(): void {
    this.#connection.pong();
  }

  flush(): void {
    this.#connection.flush();
  }

  closing(): void {
    this.#connection.closing();
  }

  close(code: number, reason: string): void {
    this.#connection.close(code, reason);
  }

  /** A client of a stream sends nothing. */
  message(): void {}

  /** A client of a stream sends nothing. */
  binary(): void {}

  /** A client of a stream sends nothing. */
  ping(): void {}

  /** The room is listened to already, so that this is seldom waited for. */
  #join(join: Join): void {
    const { room, wishes } = join;
    const connection = this.#connection;
    const refused = this.#shared.features.refuse(connection, room, wishes);
    if (refused !== undefined) return connection.refuse(refused);
    const entered = enterRoom(this.#shared, connection, room, wishes);
    const next = (refusal: Refusal | undefined): void => {
      if (refusal === undefined) this.#goOn(join);
      else connection.refuse(refusal);
    };
    if (entered instanceof Promise) void entered.then(next);
    else next(entered);
  }

  /** The flows run as after the frame of a client, after those on `connect`. */
  #goOn({ room, wishes, flows, event }: Join): void {
    const connection = this.#connection;
    // It has ended meanwhile.
    if (!this.#shared.registry.all.has(connection)) return;
    const serve = () => afterJoin(this.#shared, connection, undefined, flows, event, room, wishes);
    if (flows.length === 0) void serve();
    else connection.work().runNext(serve);
  }
}
