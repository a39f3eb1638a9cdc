/** The interface between the core and the adapters of the runtimes. No I/O. */
import type { Frame } from "./frame.ts";

/** What the sockets of an adapter can do beside sending and closing. */
export interface SocketFeatures {
  /** Sends pings and reports pongs. Without it, the idle timeout of the host detects dead clients. */
  readonly ping: boolean;
  /** Destroys a socket without a close handshake. */
  readonly terminate: boolean;
  /** Stops and resumes reading. */
  readonly pause: boolean;
  /** Refuses a message over the limit before all of it has arrived. */
  readonly frameLimits: boolean;
  /** Sends every close code. Without it, 3000 is added to every code but 1000: 1001 becomes 4001. */
  readonly closeCodes: boolean;
  /** Receives the handshake before the runtime has checked it. */
  readonly handshakeChecks: boolean;
}

/** The features of an adapter that lacks none. */
export const ALL_FEATURES: SocketFeatures = {
  ping: true,
  terminate: true,
  pause: true,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};

/** The reason of a close with 1008: the queue of the messages of a client is full. */
export const TOO_MUCH_WAITS = "too much waits to be served";

/** One connection, as the core sees it. Adapters implement it. */
export interface Peer {
  /**
   * Sends frames in order, with a single system call if the runtime allows it. Returns the bytes
   * that the kernel has not accepted yet, or -1 if the socket is closing and nothing was sent.
   */
  send(batch: Batch): number;
  /**
   * Starts the close handshake after everything that was sent. If the adapter can, it destroys a
   * socket that makes no progress for `patience` milliseconds.
   */
  close(code: number, reason: string, patience: number): void;
  /** The bytes that were sent and that the kernel has not accepted yet. */
  readonly bufferedAmount: number;
  /** True while it takes nothing, so that what can wait should wait before it. False if absent. */
  readonly full?: boolean;
  /** Sends a ping frame. */
  ping?(): void;
  /** Answers a ping frame. */
  pong?(data: Uint8Array): void;
  /** Stops reading. */
  pause?(): void;
  /** Resumes reading. */
  resume?(): void;
  /** Destroys the socket. */
  terminate?(): void;
}

/** Frames that are sent together. Recipients of the same frames share one batch. */
export interface Batch {
  /** In order. */
  readonly frames: readonly Frame[];
  /** The size on the wire, in bytes. */
  readonly size: number;
  /** All frames as bytes, joined once for all recipients. */
  bytes(): Uint8Array;
  /**
   * The same as text with one character for each byte, if that is cheaper for a single recipient;
   * else undefined.
   */
  byteText?(): string | undefined;
}

/** A handshake, copied before the upgrade. */
export interface HandshakeRequest {
  /** Upper case. */
  readonly method: string;
  /** Normalised as `URL` does. */
  readonly url: URL;
  /** False if the URL has no query, so that it need not be parsed. */
  readonly hasQuery?: boolean;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The client's address; null if it is unknown or was first read after the connection closed. */
  readonly remoteAddress: string | null;
}

/** The identity of a client without a token, for which the caller vouches: `weir test` does. */
export interface VouchedClient {
  /** Null if it is in the claims. */
  readonly userId: string | null;
  /** Null if only the user is known. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}

/** The refusal of a handshake, sent as a plain response. */
export interface HandshakeRefusal {
  /** False for a refusal. */
  readonly accepted: false;
  /** The HTTP status. */
  readonly status: number;
  /** One line of text, the body of the response. */
  readonly message: string;
  /** The code of the error, where the status does not say it; plain responses do not show it. */
  readonly code?: string;
  /** For programs, as in an error frame; plain responses do not show it. */
  readonly details?: unknown;
  /** Headers beside the content type. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The acceptance of a handshake. */
export interface HandshakeAcceptance {
  /** True for an acceptance. */
  readonly accepted: true;
  /** The subprotocol of the response; undefined for none. */
  readonly protocol: string | undefined;
  /** Receives the events of the connection. */
  readonly session: SocketSession;
  /** Present if the client is refused: its session tells it that, and closes. */
  readonly refusal?: HandshakeRefusal;
}

/** The decision about a handshake. */
export type Handshake = HandshakeAcceptance | HandshakeRefusal;

/** Receives the events of one connection, from `open` to `close`. An adapter calls it. */
export interface SocketSession {
  /** The upgrade has succeeded. */
  open(peer: Peer, features: SocketFeatures): void;
  /** The upgrade has failed although it was accepted. No other event follows. */
  abandon(): void;
  /** A text message. */
  message(text: string): void;
  /** A binary message. */
  binary(): void;
  /** A ping frame, unless the adapter itself answers pings. */
  ping(data: Uint8Array): void;
  /** A pong frame. */
  pong(): void;
  /** Everything queued must be sent now. */
  flush(): void;
  /**
   * The adapter has read a close frame, or is about to send one. Everything queued must be sent now,
   * and the connection receives nothing more. An adapter that learns of it only with `close` does not
   * call it.
   */
  closing(): void;
  /** The connection has closed; called once. The code is 1006 if there was no close frame. */
  close(code: number, reason: string): void;
}

/** A path that accepts WebSockets, as adapters see it. */
export interface SocketEndpoint {
  /** Such as `/ws`; relative to the mount path if embedded. */
  readonly path: string;
  /** In bytes. A larger message closes the connection with 1009. */
  readonly maxMessageSize: number;
  /** In milliseconds. */
  readonly pingInterval: number;
  /** Whether to negotiate permessage-deflate, if the adapter can. False by default. */
  readonly compression?: boolean;
  /** Accepts or refuses a handshake, synchronously if possible. Adapters do not pass `vouched`. */
  accept(request: HandshakeRequest, vouched?: VouchedClient): Handshake | Promise<Handshake>;
}
