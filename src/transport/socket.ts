/** What the core and the adapters say to each other about one WebSocket. No I/O. */
import type { Frame } from "./frame.ts";

/** What an adapter's sockets can do beside sending and closing. */
export interface SocketFeatures {
  /** Pings and tells of pongs; without it liveness is the host's idle timeout. */
  readonly ping: boolean;
  /** Destroys a socket without a close handshake. */
  readonly terminate: boolean;
  /** Stops and goes on reading. */
  readonly pause: boolean;
  /** Refuses a message over the limit before it is received in full. */
  readonly frameLimits: boolean;
  /** Sends every close code; without it any but 1000 goes out with 3000 added, such as 4001 for 1001. */
  readonly closeCodes: boolean;
  /** Sees the handshake before the runtime has judged it. */
  readonly handshakeChecks: boolean;
}

/** The reason of a close with 1008: more messages wait to be served than the server keeps. */
export const TOO_MUCH_WAITS = "too much waits to be served";

/** One connection, as the core sees it. An adapter makes it. */
export interface Peer {
  /**
   * Queues frames on the socket, in order, with one system call where the runtime allows. Gives
   * the bytes that the kernel has not taken, or -1 where the socket is closing and nothing was sent.
   */
  send(batch: Batch): number;
  /**
   * Starts the close handshake after everything that was sent. Where the adapter can, it destroys a
   * socket on which nothing moves for `patience` milliseconds.
   */
  close(code: number, reason: string, patience: number): void;
  /** Bytes that were sent and that the kernel has not taken. */
  readonly bufferedAmount: number;
  /** Sends a ping frame. */
  ping?(): void;
  /** Answers a ping frame. */
  pong?(data: Uint8Array): void;
  /** Stops reading. */
  pause?(): void;
  /** Goes on reading. */
  resume?(): void;
  /** Destroys the socket. */
  terminate?(): void;
}

/** Frames that go out together. Recipients that wait for the same frames share one batch. */
export interface Batch {
  /** In order. */
  readonly frames: readonly Frame[];
  /** Bytes on the wire. */
  readonly size: number;
  /** All frames as they stand on the wire, joined once for all recipients. */
  bytes(): Uint8Array;
  /**
   * The same as a text in which each byte is a character, which for one recipient can be cheaper;
   * undefined where it is not, absent where a batch knows nothing of it.
   */
  byteText?(): string | undefined;
}

/** The facts of a handshake, copied before the upgrade. */
export interface HandshakeRequest {
  /** Upper case. */
  readonly method: string;
  /** Normalised as `URL` does. */
  readonly url: URL;
  /** False where it is known that the URL has no query, so that nobody need parse it. */
  readonly hasQuery?: boolean;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The address of the peer, or null, also where nobody asked for it before the connection ended. */
  readonly remoteAddress: string | null;
}

/** Who a client is where no token says so, but the caller answers for it: `weir test` does. */
export interface VouchedClient {
  /** Null where the claims say it. */
  readonly userId: string | null;
  /** Null where nothing but the user is known. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** A handshake that ends with a plain response. */
export interface HandshakeRefusal {
  /** Tells it from an acceptance. */
  readonly accepted: false;
  /** The HTTP status. */
  readonly status: number;
  /** One line of text for people, the body of the response. */
  readonly message: string;
  /** Beside the content type. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A handshake that becomes a connection. */
export interface HandshakeAcceptance {
  /** Tells it from a refusal. */
  readonly accepted: true;
  /** The subprotocol to answer with; undefined for none. */
  readonly protocol: string | undefined;
  /** Gets the events of the connection. */
  readonly session: SocketSession;
}

/** The decision about a handshake. */
export type Handshake = HandshakeAcceptance | HandshakeRefusal;

/** What an adapter tells the core about one connection, in this order: `open`, others, `close`. */
export interface SocketSession {
  /** The upgrade has succeeded. */
  open(peer: Peer, features: SocketFeatures): void;
  /** The upgrade has failed after it was accepted, or nothing came of it. Nothing else follows. */
  abandon(): void;
  /** A text message. */
  message(text: string): void;
  /** A binary message. */
  binary(): void;
  /** A ping frame, where the adapter does not answer by itself. */
  ping(data: Uint8Array): void;
  /** A pong frame. */
  pong(): void;
  /** The adapter is about to send a close frame of its own: what is queued must go out before. */
  flush(): void;
  /** The connection is gone, once. 1006 where there was no close frame. */
  close(code: number, reason: string): void;
}

/** A WebSocket path, as adapters see it. */
export interface SocketEndpoint {
  /** Such as `/ws`; relative to the mount when embedded. */
  readonly path: string;
  /** Bytes; a longer message closes with 1009. */
  readonly maxMessageSize: number;
  /** Milliseconds. */
  readonly pingInterval: number;
  /** Offers permessage-deflate, where the adapter can; not where absent. */
  readonly compression?: boolean;
  /** Decides about a handshake. Never waits where it need not. No adapter vouches for anybody. */
  accept(request: HandshakeRequest, vouched?: VouchedClient): Handshake | Promise<Handshake>;
}
