/** Sockets of `node:http` and the `ws` package, on Node and on Deno. */
import { Buffer } from "node:buffer";
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type {
  Batch,
  HandshakeAcceptance,
  HandshakeRefusal,
  HandshakeRequest,
  Peer,
  SocketEndpoint,
  SocketFeatures,
  SocketSession,
} from "../socket.ts";

const FEATURES: SocketFeatures = {
  ping: true,
  terminate: true,
  pause: true,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};

/** The `readyState` of a connection that takes data. */
const OPEN = 1;
/** How long a client may take to answer a close frame while something moves, in milliseconds. */
const CLOSE_TIMEOUT = 60_000;
/** What `close` gets where there was no close frame. */
const NO_FRAME = 1006;
/** The close codes of what breaks a limit or UTF-8; all else that `ws` refuses is 1002. */
const VIOLATIONS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};
/** A message of more fragments closes with 1008. */
const MAX_FRAGMENTS = 1024;

/** On a listener of ours: whether it serves a request. */
const serves = Symbol("weir.serves");

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
type OurListener = UpgradeListener & { readonly [serves]: (request: IncomingMessage) => boolean };

/**
 * Serves WebSockets on a server; returns a function that stops it. An upgrade for another path is
 * left to listeners that are not Weir's, and refused with 404 where there are none.
 */
export function upgradeSockets(
  server: Server,
  endpoint: (pathname: string) => SocketEndpoint | undefined,
): () => void {
  const upgraders = new Map<SocketEndpoint, EndpointUpgrader>();
  const find = (request: IncomingMessage): SocketEndpoint | undefined => {
    const url = requestUrl(request);
    return url && endpoint(url.pathname);
  };
  const upgrade: UpgradeListener = (request, socket, head) => {
    const found = find(request);
    if (found === undefined) {
      if (isLeft(server, request, listener)) refuseUpgrade(socket, NOT_FOUND);
      return;
    }
    let upgrader = upgraders.get(found);
    if (upgrader === undefined) {
      upgrader = new EndpointUpgrader(found);
      upgraders.set(found, upgrader);
    }
    upgrader.handle(request, socket, head);
  };
  const listener: OurListener = Object.assign(upgrade, {
    [serves]: (request: IncomingMessage) => find(request) !== undefined,
  });
  server.on("upgrade", listener);
  return () => void server.off("upgrade", listener);
}

/** Whether nobody serves an upgrade, and `listener` is the one to say so. */
function isLeft(server: Server, request: IncomingMessage, listener: UpgradeListener): boolean {
  const listeners = server.listeners("upgrade") as (UpgradeListener & Partial<OurListener>)[];
  return listeners.at(-1) === listener &&
    listeners.every((other) => other[serves]?.(request) === false);
}

const NOT_FOUND: HandshakeRefusal = {
  accepted: false,
  status: 404,
  message: "not found",
  headers: {},
};

/** The URL that a request is for, normalised; undefined where there is none. */
export function requestUrl(request: IncomingMessage): URL | undefined {
  const { url = "/" } = request;
  // Put together as text: as a relative reference, `//ws` would name a host. The client's own Host
  // stays out of it, or it could write a path.
  const text = url.startsWith("/") ? `http://localhost${url}` : url;
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Answers an upgrade with a plain response and lets go of the socket. */
export function refuseUpgrade(socket: Duplex, refusal: HandshakeRefusal): void {
  // Node has taken its own listener away; a reset must not become an uncaught error.
  socket.on("error", ignore);
  const { status, message, headers } = refusal;
  const body = `${message}\n`;
  const fields = {
    ...headers,
    connection: "close",
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  socket.once("finish", () => socket.destroy());
}

/** Handshakes of one endpoint. */
class EndpointUpgrader {
  readonly #endpoint: SocketEndpoint;
  readonly #server: WebSocketServer;
  readonly #buffers = new BatchBuffers();
  /** What the handshake that is under way answers with; `ws` asks for it synchronously. */
  #protocol: string | undefined;

  constructor(endpoint: SocketEndpoint) {
    this.#endpoint = endpoint;
    // The types of `ws` do not have its newest options yet.
    const options: ServerOptions & { closeTimeout: number; maxFragments: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: endpoint.maxMessageSize,
      maxFragments: MAX_FRAGMENTS,
      closeTimeout: CLOSE_TIMEOUT,
      // `ws` by itself answers every ping and ends a client that sends many at once.
      autoPong: false,
      handleProtocols: () => this.#protocol ?? false,
    };
    this.#server = new WebSocketServer(options);
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A reset while the decision waits must not become an uncaught error; `close` follows it.
    socket.on("error", ignore);
    const decision = this.#endpoint.accept(factsOf(request));
    const answer = (result: Awaited<typeof decision>): void => {
      if (result.accepted) this.#upgrade(request, socket, head, result);
      else refuseUpgrade(socket, result);
    };
    if (!(decision instanceof Promise)) return answer(decision);
    decision.then(answer, (error) => socket.destroy(error));
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { protocol, session }: HandshakeAcceptance,
  ): void {
    this.#protocol = protocol;
    let upgraded = false;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      upgraded = true;
      socket.off("error", ignore);
      connect(webSocket, new NodePeer(webSocket, socket as Socket, this.#buffers), session);
    });
    // The client had left already.
    if (!upgraded) session.abandon();
  }
}

function connect(webSocket: WebSocket, peer: Peer, session: SocketSession): void {
  webSocket.on("message", (data: Buffer, isBinary: boolean) => {
    if (isBinary) session.binary();
    else session.message(data.toString());
  });
  webSocket.on("ping", (data: Buffer) => session.ping(data));
  webSocket.on("pong", () => session.pong());
  // `ws` closes with the right code, and then tells of the broken connection alone.
  let violation: number | undefined;
  webSocket.on("error", (error) => violation = violationOf(error));
  webSocket.on("close", (code: number, reason: Buffer) => {
    session.close(code === NO_FRAME ? violation ?? code : code, reason.toString());
  });
  session.open(peer, FEATURES);
}

/** The code that `ws` closes with because of an error; undefined where it is none of the client's. */
function violationOf(error: Error & { readonly code?: string }): number | undefined {
  if (error.code?.startsWith("WS_ERR_")) return VIOLATIONS[error.code] ?? 1002;
  return undefined;
}

function factsOf(request: IncomingMessage): HandshakeRequest {
  const headers = Object.entries(request.headers).map(([name, value = ""]) => [
    name,
    Array.isArray(value) ? value.join(", ") : value,
  ]);
  return {
    method: request.method ?? "GET",
    url: requestUrl(request) ?? new URL("http://localhost/"),
    headers: Object.fromEntries(headers),
    remoteAddress: request.socket.remoteAddress ?? null,
  };
}

function ignore(): void {}

/** Streams wrap every Uint8Array in a Buffer of its own; recipients of one batch share it here. */
class BatchBuffers {
  #batch: Batch | undefined;
  #buffer: Buffer = Buffer.alloc(0);

  of(batch: Batch): Buffer {
    if (batch !== this.#batch) {
      const { buffer, byteOffset, byteLength } = batch.bytes();
      this.#batch = batch;
      this.#buffer = Buffer.from(buffer, byteOffset, byteLength);
    }
    return this.#buffer;
  }
}

/** A connection of `ws`. Frames of ours go straight to the socket, between those of `ws`. */
class NodePeer implements Peer {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #buffers: BatchBuffers;

  constructor(webSocket: WebSocket, socket: Socket, buffers: BatchBuffers) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#buffers = buffers;
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength;
  }

  send(batch: Batch): number {
    if (this.#webSocket.readyState !== OPEN) return 0;
    // Below its high-water mark a stream has nothing worth asking for.
    return this.#socket.write(this.#buffers.of(batch)) ? 0 : this.#socket.writableLength;
  }

  close(code: number, reason: string, patience: number): void {
    const socket = this.#socket;
    const terminate = (): void => this.#webSocket.terminate();
    this.#webSocket.close(code, reason);
    // A write that makes progress counts as movement.
    socket.setTimeout(patience, terminate);
    // Once all is out, only the answer counts: a client could talk on without ever giving it.
    const awaitAnswer = (): void => {
      const timer = setTimeout(terminate, patience);
      socket.once("close", () => clearTimeout(timer));
    };
    if (socket.writableNeedDrain) socket.once("drain", awaitAnswer);
    else awaitAnswer();
  }

  ping(): void {
    if (this.#webSocket.readyState === OPEN) this.#webSocket.ping();
  }

  pong(data: Uint8Array): void {
    if (this.#webSocket.readyState === OPEN) this.#webSocket.pong(data);
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  terminate(): void {
    this.#webSocket.terminate();
  }
}
