/** Sockets of `Bun.serve`. */
import type { Frame } from "./frame.ts";
import type { AddressSource, ReceivedHandshake } from "./handshake.ts";
import type { Upgrader } from "./upgrader.ts";
import {
  type Batch,
  type HandshakeAcceptance,
  type Peer,
  type SocketEndpoint,
  type SocketFeatures,
  type SocketSession,
  TOO_MUCH_WAITS,
} from "./socket.ts";
import { endOfTick } from "../base/clock.ts";
import { COMPRESSION_THRESHOLD } from "./deflate.ts";

const FEATURES: SocketFeatures = {
  ping: true,
  terminate: true,
  pause: true,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};
/** Bun has one message limit a server; an endpoint with a smaller one checks what it received. */
const UNLIMITED_FEATURES: SocketFeatures = { ...FEATURES, frameLimits: false };

/**
 * One read may inflate to this many characters and one message. A read has 64 KB, and Bun delivers all
 * messages in it before any other connection has its turn.
 */
const MOST_INFLATED = 16 * 1024 * 1024;

/** More than any limit of Weir's, in bytes. */
const NO_LIMIT = 2 ** 31 - 1;

/** What `close` gets where there was no close frame. */
const NO_FRAME = 1006;
/** How Bun begins its reason where it has closed because of what came; no client can write it. */
const VIOLATION = "Received ";
/** The close codes of what breaks a limit or UTF-8; all else that Bun refuses is 1002. */
const VIOLATIONS: ReadonlyMap<string, number> = new Map([
  ["Received invalid UTF-8", 1007],
  ["Received too big message", 1009],
]);

/** The code that Bun has closed with; it tells of the broken connection alone. */
function violationOf(reason: string): number {
  return VIOLATIONS.get(reason) ?? (reason.startsWith(VIOLATION) ? 1002 : NO_FRAME);
}

/** What a Bun socket carries. */
export interface BunSocketData {
  /** Gets the events of the connection. */
  readonly session: SocketSession;
  /** The path that it came in by. */
  readonly endpoint: SocketEndpoint;
  /** The upgrade has succeeded. */
  open(socket: BunSocket, features: SocketFeatures): void;
  /** A text message has come. */
  message(text: string): void;
}

/** The part of Bun's `ServerWebSocket` that is used here. */
export interface BunSocket {
  /** What the upgrade gave it. */
  readonly data: BunSocketData;
  /** The peer's address. */
  readonly remoteAddress: string;
  /** Sends a text frame; compressed where that is wanted and the client has agreed to it. */
  send(text: string, compress: boolean): number;
  /** Joins what is sent meanwhile into one write. */
  cork(callback: () => void): void;
  /** Starts the close handshake. */
  close(code: number, reason: string): void;
  /** Destroys the socket. */
  terminate(): void;
  /** Sends a ping frame. */
  ping(): number;
  /** Stops reading. */
  pause(): void;
  /** Goes on reading. */
  resume(): void;
  /** Bytes that the kernel has not taken. */
  getBufferedAmount(): number;
}

/** The part of Bun's `Server` that is used here. */
export interface BunServer {
  upgrade(
    request: Request,
    options: { readonly data: BunSocketData; readonly headers?: Readonly<Record<string, string>> },
  ): boolean;
  requestIP(request: Request): { readonly address: string } | null;
  timeout(request: Request, seconds: number): void;
}

/** What `Bun.serve` takes as `websocket`. */
export interface BunWebSocketHandler {
  /** Seconds; 0, since Weir pings by itself. */
  readonly idleTimeout: number;
  /** False, since Weir pings by itself. */
  readonly sendPings: boolean;
  /** Bytes. */
  readonly maxPayloadLength: number;
  /** Bytes; over it Bun drops frames, so it is above any queue of Weir's own. */
  readonly backpressureLimit: number;
  /** Without contexts of its own for each connection, which cost memory; false for none at all. */
  readonly perMessageDeflate: false | {
    readonly compress: "shared";
    readonly decompress: "shared";
  };
  /** A connection is open. */
  open(socket: BunSocket): void;
  /** A message has come. */
  message(socket: BunSocket, message: string | Uint8Array): void;
  /** A pong frame has come. */
  pong(socket: BunSocket): void;
  /** A connection is gone. */
  close(socket: BunSocket, code: number, reason: string): void;
}

/** The handlers for all sockets of one server. Bun has one message limit a server: the largest. */
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
      data.open(socket, limits ? FEATURES : UNLIMITED_FEATURES);
    },
    message({ data }, message) {
      if (typeof message === "string") data.message(message);
      else data.session.binary();
    },
    pong: ({ data: { session } }) => session.pong(),
    close: ({ data: { session } }, code, reason) => {
      session.close(code === NO_FRAME ? violationOf(reason) : code, reason);
    },
  };
}

/** Upgrades through the server that Bun hands to `fetch`. */
export const bunUpgrader: Upgrader = {
  upgrade(
    request: Request,
    env: unknown,
    endpoint: SocketEndpoint,
    { protocol, session }: HandshakeAcceptance,
    facts: ReceivedHandshake,
  ): Response {
    const headers = protocol === undefined ? undefined : { "sec-websocket-protocol": protocol };
    // Else Bun chooses the first that is offered, which may be the client's token.
    if (protocol === undefined) request.headers.delete("sec-websocket-protocol");
    // Bun has one setting for a server; an endpoint without compression is offered none.
    if (!endpoint.compression) request.headers.delete("sec-websocket-extensions");
    const data = new BunPeer(session, endpoint);
    facts.learnAddressFrom(data);
    if (bunServer(env).upgrade(request, headers === undefined ? { data } : { data, headers })) {
      // Bun has answered already and ignores what `fetch` returns; Hono wants a response.
      return new Response(null);
    }
    if (!request.signal.aborted) throw new TypeError("Bun cannot upgrade this request");
    // The client left while the decision waited: nobody reads this, and nothing is wrong.
    session.abandon();
    return new Response(null, { status: 400 });
  },
  remoteAddress: (request: Request, env: unknown): AddressSource => new Sender(request, env),
  headers(request: Request): Readonly<Record<string, string>> {
    const headers = (request.headers as BunHeaders).toJSON();
    const cookies = headers["set-cookie"];
    // Alone among headers it is a list, also in a request, where it means nothing.
    if (typeof cookies !== "object") return headers as Record<string, string>;
    return { ...headers as Record<string, string>, "set-cookie": cookies.join(", ") };
  },
};

/** Who has sent a request. */
class Sender implements AddressSource {
  readonly #request: Request;
  readonly #env: unknown;

  constructor(request: Request, env: unknown) {
    this.#request = request;
    this.#env = env;
  }

  get remoteAddress(): string | undefined {
    return bunServer(this.#env).requestIP(this.#request)?.address;
  }
}

/** What Bun's headers have beside those of the standard. */
interface BunHeaders extends Headers {
  toJSON(): Record<string, string | readonly string[]>;
}

/** Hono on Bun passes the server as it is, or in an object. */
function bunServer(env: unknown): BunServer {
  const candidate = env as Partial<BunServer> & { readonly server?: BunServer } | undefined;
  const server = typeof candidate?.upgrade === "function" ? candidate : candidate?.server;
  if (server === undefined) {
    throw new TypeError("call runtime.fetch(request, server): Bun upgrades through its server");
  }
  return server as BunServer;
}

/** A connection on Bun's own WebSocket server, and all that its socket carries. */
class BunPeer implements Peer, BunSocketData, AddressSource {
  readonly session: SocketSession;
  readonly endpoint: SocketEndpoint;
  /** Undefined until the upgrade has succeeded. */
  #socket: BunSocket | undefined = undefined;
  /** How many characters came in this tick, where they may have been compressed. */
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
      this.session.flush();
      // Bun reads no further then: what is left of the read is not inflated.
      this.#socket?.close(1008, TOO_MUCH_WAITS);
    } else {
      this.session.message(text);
    }
  }

  #isTooMuch(length: number): boolean {
    if (this.#inflated === 0) endOfTick(() => this.#inflated = 0);
    this.#inflated += length;
    return this.#inflated > MOST_INFLATED + this.endpoint.maxMessageSize;
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
    // Positive where the kernel took it all; asking for the rest costs more than the sending. 0 where
    // the socket is closing.
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
