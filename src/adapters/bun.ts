/** Sockets of `Bun.serve`. */
import type { Upgrader } from "../site.ts";
import type {
  Batch,
  HandshakeAcceptance,
  Peer,
  SocketEndpoint,
  SocketFeatures,
  SocketSession,
} from "../socket.ts";

/** Bun has one message limit a server; an endpoint with a smaller one checks what it received. */
const FEATURES: Omit<SocketFeatures, "frameLimits"> = {
  ping: true,
  terminate: true,
  pause: true,
  closeCodes: true,
  handshakeChecks: true,
};

/** What a Bun socket carries. */
export interface BunSocketData {
  readonly session: SocketSession;
  readonly endpoint: SocketEndpoint;
}

/** The part of Bun's `ServerWebSocket` that is used here. */
export interface BunSocket {
  readonly data: BunSocketData;
  send(text: string): number;
  cork(callback: () => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
  ping(): number;
  pause(): void;
  resume(): void;
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
  readonly idleTimeout: number;
  readonly sendPings: boolean;
  readonly maxPayloadLength: number;
  readonly perMessageDeflate: boolean;
  open(socket: BunSocket): void;
  message(socket: BunSocket, message: string | Uint8Array): void;
  pong(socket: BunSocket): void;
  close(socket: BunSocket, code: number, reason: string): void;
}

/** The handlers for all sockets of one server. Bun has one message limit a server: the largest. */
export function bunWebSocketHandler(endpoints: readonly SocketEndpoint[]): BunWebSocketHandler {
  const maxPayloadLength = Math.max(1, ...endpoints.map((endpoint) => endpoint.maxMessageSize));
  const features = (endpoint: SocketEndpoint): SocketFeatures => ({
    ...FEATURES,
    frameLimits: endpoint.maxMessageSize === maxPayloadLength,
  });
  return {
    idleTimeout: 0,
    sendPings: false,
    maxPayloadLength,
    perMessageDeflate: false,
    open(socket) {
      const { session, endpoint } = socket.data;
      session.open(new BunPeer(socket), features(endpoint));
    },
    message({ data: { session } }, message) {
      if (typeof message === "string") session.message(message);
      else session.binary();
    },
    pong: ({ data: { session } }) => session.pong(),
    close: ({ data: { session } }, code, reason) => session.close(code, reason),
  };
}

/** Upgrades through the server that Bun hands to `fetch`. */
export const bunUpgrader: Upgrader = {
  upgrade(
    request: Request,
    env: unknown,
    endpoint: SocketEndpoint,
    { protocol, session }: HandshakeAcceptance,
  ): Response {
    const headers = protocol === undefined ? undefined : { "sec-websocket-protocol": protocol };
    const data = { session, endpoint };
    if (bunServer(env).upgrade(request, headers === undefined ? { data } : { data, headers })) {
      // Bun has answered already and ignores what `fetch` returns; Hono wants a response.
      return new Response(null);
    }
    session.abandon();
    return new Response("the connection cannot be upgraded\n", { status: 400 });
  },
  remoteAddress: (request: Request, env: unknown): string | null =>
    bunServer(env).requestIP(request)?.address ?? null,
};

/** Hono on Bun passes the server as it is, or in an object. */
function bunServer(env: unknown): BunServer {
  const candidate = env as Partial<BunServer> & { readonly server?: BunServer } | undefined;
  const server = typeof candidate?.upgrade === "function" ? candidate : candidate?.server;
  if (server === undefined) {
    throw new TypeError("call runtime.fetch(request, server): Bun upgrades through its server");
  }
  return server as BunServer;
}

/** A connection on Bun's own WebSocket server. */
class BunPeer implements Peer {
  readonly #socket: BunSocket;

  constructor(socket: BunSocket) {
    this.#socket = socket;
  }

  get bufferedAmount(): number {
    return this.#socket.getBufferedAmount();
  }

  send({ frames }: Batch): void {
    const socket = this.#socket;
    if (frames.length === 1) {
      socket.send(frames[0].text);
      return;
    }
    socket.cork(() => {
      for (const frame of frames) socket.send(frame.text);
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  ping(): void {
    this.#socket.ping();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
