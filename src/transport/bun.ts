/** WebSockets of `Bun.serve`: the handlers of its sockets and the upgrade of a request. */
import { endOfTick } from "../base/clock.ts";
import { COMPRESSION_THRESHOLD } from "./deflate.ts";
import type { Frame } from "./frame.ts";
import type { AddressSource, ReceivedHandshake, Upgrader } from "./handshake.ts";
import {
  ALL_FEATURES,
  type Batch,
  type HandshakeAcceptance,
  type Peer,
  type SocketEndpoint,
  type SocketFeatures,
  type SocketSession,
  TOO_MUCH_WAITS,
} from "./socket.ts";

/** What a Bun socket carries. */
export interface BunSocketData {
  /** Receives the events of the connection. */
  readonly session: SocketSession;
  /** The endpoint that accepted the handshake. */
  readonly endpoint: SocketEndpoint;
  /** The upgrade has succeeded. */
  open(socket: BunSocket, features: SocketFeatures): void;
  /** A text message has arrived. */
  message(text: string): void;
}

/** The part of Bun's `ServerWebSocket` that Weir uses. */
export interface BunSocket {
  /** Set by the upgrade. */
  readonly data: BunSocketData;
  /** The address of the client. */
  readonly remoteAddress: string;
  /** Sends a text frame, compressed if `compress` is true and compression was negotiated. */
  send(text: string, compress: boolean): number;
  /** Joins everything that `callback` sends into one write. */
  cork(callback: () => void): void;
  /** Starts the close handshake. */
  close(code: number, reason: string): void;
  /** Destroys the socket. */
  terminate(): void;
  /** Sends a ping frame. */
  ping(): number;
  /** Stops reading. */
  pause(): void;
  /** Resumes reading. */
  resume(): void;
  /** The bytes that the kernel has not accepted yet. */
  getBufferedAmount(): number;
}

/** The part of Bun's `Server` that Weir uses. */
export interface BunServer {
  upgrade(
    request: Request,
    options: { readonly data: BunSocketData; readonly headers?: Readonly<Record<string, string>> },
  ): boolean;
  requestIP(request: Request): { readonly address: string } | null;
  timeout(request: Request, seconds: number): void;
}

/** The `websocket` option of `Bun.serve`. */
export interface BunWebSocketHandler {
  /** Seconds. 0, since Weir sends its own pings. */
  readonly idleTimeout: number;
  /** False, since Weir sends its own pings. */
  readonly sendPings: boolean;
  /** Bytes. */
  readonly maxPayloadLength: number;
  /** Bytes. Bun drops frames beyond it, so it is larger than any queue of Weir. */
  readonly backpressureLimit: number;
  /** Shared contexts, since one for each connection would cost memory; false without compression. */
  readonly perMessageDeflate: false | {
    readonly compress: "shared";
    readonly decompress: "shared";
  };
  /** A connection has opened. */
  open(socket: BunSocket): void;
  /** A message has arrived. */
  message(socket: BunSocket, message: string | Uint8Array): void;
  /** A pong frame has arrived. */
  pong(socket: BunSocket): void;
  /** A connection has closed. */
  close(socket: BunSocket, code: number, reason: string): void;
}

/** The headers of a request, with a method that only Bun has. */
interface BunHeaders extends Headers {
  toJSON(): Record<string, string | readonly string[]>;
}

/** A server has a single message limit. An endpoint with a smaller one checks received messages. */
const UNLIMITED_FEATURES: SocketFeatures = { ...ALL_FEATURES, frameLimits: false };

/** Larger than any limit of Weir, in bytes. */
const NO_LIMIT = 2 ** 31 - 1;

/**
 * The handlers for all sockets of a server. The message limit of the server is the largest one of
 * its endpoints.
 */
export function bunWebSocketHandler(endpoints: readonly SocketEndpoint[]): BunWebSocketHandler {
  const maxPayloadLength = Math.max(1, ...endpoints.map((endpoint) => endpoint.maxMessageSize));
  return {
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength,
    backpressureLimit: NO_LIMIT,
    perMessageDeflate: endpoints.some((endpoint) => endpoint.compression) &&
      { compress: "shared", decompress: "shared" },
    open(socket) {
      const { data } = socket;
      const limits = data.endpoint.maxMessageSize === maxPayloadLength;
      data.open(socket, limits ? ALL_FEATURES : UNLIMITED_FEATURES);
    },
    message({ data }, message) {
      if (typeof message === "string") data.message(message);
      else data.session.binary();
    },
    pong: ({ data: { session } }) => session.pong(),
    close: ({ data: { session } }, code, reason) => {
      session.close(code === NO_CLOSE_FRAME ? violationOf(reason) : code, reason);
    },
  };
}

/** Upgrades through the server that Bun passes to `fetch`. */
export const bunUpgrader: Upgrader = {
  upgrade(
    request: Request,
    env: unknown,
    endpoint: SocketEndpoint,
    { protocol, session }: HandshakeAcceptance,
    received: ReceivedHandshake,
  ): Response {
    const headers = protocol === undefined ? undefined : { "sec-websocket-protocol": protocol };
    // Otherwise Bun selects the first protocol offered, which may be the client's token.
    if (protocol === undefined) request.headers.delete("sec-websocket-protocol");
    // Compression is a setting of the server, so an endpoint without it must not see the offer.
    if (!endpoint.compression) request.headers.delete("sec-websocket-extensions");
    const data = new BunPeer(session, endpoint);
    received.learnAddressFrom(data);
    if (serverOf(env).upgrade(request, headers === undefined ? { data } : { data, headers })) {
      // Bun has responded and ignores what `fetch` returns, but Hono needs a response.
      return new Response(null);
    }
    if (!request.signal.aborted) throw new TypeError("Bun cannot upgrade this request");
    // The client left before the handshake was accepted, so this response is not read.
    session.abandon();
    return new Response(null, { status: 400 });
  },
  remoteAddress: (request: Request, env: unknown): AddressSource =>
    new RequestAddress(request, env),
  directStreams: true,
  keepOpen: (request: Request, env: unknown): void => serverOf(env).timeout(request, 0),
  headers(request: Request): Readonly<Record<string, string>> {
    const headers = (request.headers as BunHeaders).toJSON();
    const cookies = headers["set-cookie"];
    // The only header that Bun returns as a list. It has no meaning in a request.
    if (typeof cookies !== "object") return headers as Record<string, string>;
    return { ...headers as Record<string, string>, "set-cookie": cookies.join(", ") };
  },
};

/** Looks up the address of the client that sent a request. */
class RequestAddress implements AddressSource {
  readonly #request: Request;
  readonly #env: unknown;

  constructor(request: Request, env: unknown) {
    this.#request = request;
    this.#env = env;
  }

  get remoteAddress(): string | undefined {
    return serverOf(this.#env).requestIP(this.#request)?.address;
  }
}

/** Finds the server in `env`: Hono passes it on as it is or in an object. */
function serverOf(env: unknown): BunServer {
  const candidate = env as Partial<BunServer> & { readonly server?: BunServer } | undefined;
  const server = typeof candidate?.upgrade === "function" ? candidate : candidate?.server;
  if (server === undefined) {
    throw new TypeError("call runtime.fetch(request, server): Bun upgrades through its server");
  }
  return server as BunServer;
}

/** The code of a connection that closed without a close frame. */
const NO_CLOSE_FRAME = 1006;
/** How Bun's reason begins when it closed because of a message. No client can send it. */
const VIOLATION = "Received ";
/** The close codes of a broken limit or of bad UTF-8. Anything else that Bun refuses is 1002. */
const VIOLATIONS: ReadonlyMap<string, number> = new Map([
  ["Received invalid UTF-8", 1007],
  ["Received too big message", 1009],
]);

/** The code that Bun closed with. Bun itself reports only that the connection was lost. */
function violationOf(reason: string): number {
  return VIOLATIONS.get(reason) ?? (reason.startsWith(VIOLATION) ? 1002 : NO_CLOSE_FRAME);
}

/**
 * A single read may inflate to this many characters and one more message. A read has up to 64 KB,
 * and Bun delivers all messages in it before it reads from another connection.
 */
const MAX_INFLATED = 16 * 1024 * 1024;

/** A connection of Bun's WebSocket server. It is also the data that its socket carries. */
class BunPeer implements Peer, BunSocketData, AddressSource {
  readonly session: SocketSession;
  readonly endpoint: SocketEndpoint;
  /** Undefined until the upgrade has succeeded. */
  #socket: BunSocket | undefined = undefined;
  /** The characters that arrived in this tick, on an endpoint with compression. */
  #inflated = 0;

  constructor(session: SocketSession, endpoint: SocketEndpoint) {
    this.session = session;
    this.endpoint = endpoint;
  }

  open(socket: BunSocket, features: SocketFeatures): void {
    this.#socket = socket;
    this.session.open(this, features);
  }

  message(text: string): void {
    if (this.endpoint.compression === true && this.#isTooMuch(text.length)) {
      this.session.closing();
      // Bun stops reading here, so the rest of the read is not inflated.
      this.#socket?.close(1008, TOO_MUCH_WAITS);
    } else {
      this.session.message(text);
    }
  }

  #isTooMuch(length: number): boolean {
    if (this.#inflated === 0) endOfTick(() => this.#inflated = 0);
    this.#inflated += length;
    return this.#inflated > MAX_INFLATED + this.endpoint.maxMessageSize;
  }

  get remoteAddress(): string | undefined {
    return this.#socket?.remoteAddress;
  }

  get bufferedAmount(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  send({ frames }: Batch): number {
    const socket = this.#socket;
    if (socket === undefined) return -1;
    let sent = 1;
    if (frames.length === 1) sent = this.#send(socket, frames[0]);
    else {
      socket.cork(() => {
        for (const frame of frames) sent = this.#send(socket, frame);
      });
    }
    // Positive if the kernel accepted everything, 0 if the socket is closing. `getBufferedAmount`
    // costs more than a send, so it is called only if something is left.
    if (sent >= 0) return sent > 0 ? 0 : -1;
    return socket.getBufferedAmount();
  }

  #send(socket: BunSocket, frame: Frame): number {
    const compress = frame.size >= COMPRESSION_THRESHOLD &&
      this.endpoint.compression === true;
    return socket.send(frame.text, compress);
  }

  close(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  ping(): void {
    this.#socket?.ping();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  terminate(): void {
    this.#socket?.terminate();
  }
}
