/** Upgrades the requests of `node:http` with the `ws` package, on Node and on Deno. */
import { Buffer } from "node:buffer";
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type Server as SocketServer, type ServerOptions, WebSocketServer } from "ws";
import { ReceivedHandshake } from "./handshake.ts";
import type {
  HandshakeAcceptance,
  HandshakeRefusal,
  HandshakeRequest,
  SocketEndpoint,
} from "./socket.ts";
import { Deflater, offersDeflate } from "./deflate.ts";
import { BatchBuffers, SessionSocket } from "./node-socket.ts";

/** How long a client that keeps sending may take to return a close frame, in milliseconds. */
const CLOSE_TIMEOUT = 60_000;
/** A message of more fragments closes the connection with 1008. */
const MAX_FRAGMENTS = 1024;
/** The header in which a client offers compression. */
const EXTENSIONS = "sec-websocket-extensions";

/** The property of Weir's listeners that says whether they serve a request. */
const serves = Symbol("weir.serves");

type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
type WeirListener = UpgradeListener & { readonly [serves]: (request: IncomingMessage) => boolean };

/**
 * Serves WebSockets on a server. Returns a function that stops this. Upgrades of other paths are
 * left to the other listeners of the server, and refused with 404 if all listeners are Weir's.
 */
export function upgradeSockets(
  server: Server,
  endpoint: (pathname: string) => SocketEndpoint | undefined,
): () => void {
  const upgraders = new Map<SocketEndpoint, EndpointUpgrader>();
  const find = (request: IncomingMessage): SocketEndpoint | undefined => {
    const path = requestPath(request);
    return path === undefined ? undefined : endpoint(path);
  };
  const upgrade: UpgradeListener = (request, socket, head) => {
    const found = find(request);
    if (found === undefined) {
      if (isUnserved(server, request, listener)) refuseUpgrade(socket, NOT_FOUND);
      return;
    }
    let upgrader = upgraders.get(found);
    if (upgrader === undefined) {
      upgrader = new EndpointUpgrader(found);
      upgraders.set(found, upgrader);
    }
    upgrader.handle(request, socket, head);
  };
  const listener: WeirListener = Object.assign(upgrade, {
    [serves]: (request: IncomingMessage) => find(request) !== undefined,
  });
  server.on("upgrade", listener);
  return () => void server.off("upgrade", listener);
}

/** Whether no listener serves an upgrade, and `listener` is the one to refuse it. */
function isUnserved(server: Server, request: IncomingMessage, listener: UpgradeListener): boolean {
  const listeners = server.listeners("upgrade") as (UpgradeListener & Partial<WeirListener>)[];
  return listeners.at(-1) === listener &&
    listeners.every((other) => other[serves]?.(request) === false);
}

const NOT_FOUND: HandshakeRefusal = {
  accepted: false,
  status: 404,
  message: "not found",
  headers: {},
};

/** The normalised URL of a request's target; undefined if it is invalid. */
function targetUrl(target: string): URL | undefined {
  // Joined as text: as a relative reference, `//ws` would be a host. Without the client's Host
  // header, which could contain a path.
  return URL.parse(target.startsWith("/") ? `http://localhost${target}` : target) ?? undefined;
}

/** A path that `URL` would not change, up to the query. */
const PLAIN_PATH = /^\/[\w/-]*(?=\?|$)/;

/** The path of a request's URL; undefined if it is invalid. Most paths need no parser. */
export function requestPath({ url = "/" }: IncomingMessage): string | undefined {
  return PLAIN_PATH.exec(url)?.[0] ?? targetUrl(url)?.pathname;
}

/** Refuses an upgrade with a plain response, and closes the socket. */
export function refuseUpgrade(socket: Duplex, refusal: HandshakeRefusal): void {
  // Node has removed its own listener, and a reset must not become an uncaught error.
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
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${lines.join("")}\r\n${body}`,
  );
  socket.once("finish", () => socket.destroy());
}

/** Upgrades the requests of one endpoint. */
class EndpointUpgrader {
  readonly #endpoint: SocketEndpoint;
  readonly #server: SocketServer<typeof SessionSocket>;
  readonly #plain = new BatchBuffers();
  readonly #compressed = new BatchBuffers(new Deflater());
  /** The subprotocol of the current handshake. `ws` asks for it synchronously. */
  #protocol: string | undefined;

  constructor(endpoint: SocketEndpoint) {
    this.#endpoint = endpoint;
    // The types of `ws` lack its newest options.
    const options: ServerOptions<typeof SessionSocket> & {
      closeTimeout: number;
      maxFragments: number;
    } = {
      noServer: true,
      clientTracking: false,
      // `ws` only negotiates. Context takeover would cost memory for each connection, and a frame
      // would not be the same for all.
      perMessageDeflate: endpoint.compression === true &&
        { serverNoContextTakeover: true, clientNoContextTakeover: true },
      maxPayload: endpoint.maxMessageSize,
      maxFragments: MAX_FRAGMENTS,
      closeTimeout: CLOSE_TIMEOUT,
      // With it, `ws` closes the connection of a client that sends many pings at once.
      autoPong: false,
      handleProtocols: () => this.#protocol ?? false,
      WebSocket: SessionSocket,
    };
    this.#server = new WebSocketServer(options);
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const decision = this.#endpoint.accept(receiveRequest(request));
    const answer = (result: Awaited<typeof decision>): void => {
      if (result.accepted) this.#upgrade(request, socket, head, result);
      else refuseUpgrade(socket, result);
    };
    if (!(decision instanceof Promise)) return answer(decision);
    // A reset during the decision must not become an uncaught error. A close event follows it.
    socket.on("error", ignore);
    decision.then(answer, (error) => socket.destroy(error));
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { protocol, session }: HandshakeAcceptance,
  ): void {
    this.#protocol = protocol;
    // `ws` refuses a handshake whose offers it cannot meet. The RFC says to decline the offers.
    const offered = request.headers[EXTENSIONS];
    if (offered !== undefined) {
      request.headers[EXTENSIONS] = offersDeflate(offered) ? "permessage-deflate" : undefined;
    }
    let upgraded = false;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      upgraded = true;
      socket.off("error", ignore);
      const buffers = webSocket.extensions === "" ? this.#plain : this.#compressed;
      webSocket.connect(socket as Socket, buffers, session);
    });
    // The client has left.
    if (!upgraded) session.abandon();
  }
}

/** What a request asks for, as the core sees it. */
export function receiveRequest(request: IncomingMessage): HandshakeRequest {
  const { method = "GET", url = "/", socket } = request;
  // The address is looked up on demand, since that is a system call.
  return new ReceivedHandshake(method, url, headersOf(request), socket, parseTarget);
}

/** The headers; a copy if they have the one that the upgrade changes, or a list. */
function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const cookies = headers["set-cookie"];
  if (cookies === undefined && headers[EXTENSIONS] === undefined) {
    return headers as Record<string, string>;
  }
  const copy = { ...headers } as Record<string, string>;
  // The only header that Node returns as a list. It has no meaning in a request.
  return cookies === undefined ? copy : { ...copy, "set-cookie": cookies.join(", ") };
}

function parseTarget(target: string): URL {
  return targetUrl(target) ?? new URL("http://localhost/");
}

function ignore(): void {}
