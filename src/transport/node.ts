/** Handshakes of `node:http` and the `ws` package, on Node and on Deno. */
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
import { BatchBuffers, SessionSocket } from "./node-peer.ts";

/** How long a client may take to answer a close frame while something moves, in milliseconds. */
const CLOSE_TIMEOUT = 60_000;
/** A message of more fragments closes with 1008. */
const MAX_FRAGMENTS = 1024;
/** The request's header that a client offers compression in. */
const EXTENSIONS = "sec-websocket-extensions";

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
    const path = requestPath(request);
    return path === undefined ? undefined : endpoint(path);
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

/** The URL that a request's target stands for, normalised; undefined where there is none. */
function targetUrl(target: string): URL | undefined {
  // Put together as text: as a relative reference, `//ws` would name a host. The client's own Host
  // stays out of it, or it could write a path.
  return URL.parse(target.startsWith("/") ? `http://localhost${target}` : target) ?? undefined;
}

/** A path that is as `URL` would have it, before the query if there is one. */
const PLAIN_PATH = /^\/[\w/-]*(?=\?|$)/;

/** The path of a request's URL; undefined where there is none. Most paths need no parser. */
export function requestPath({ url = "/" }: IncomingMessage): string | undefined {
  return PLAIN_PATH.exec(url)?.[0] ?? targetUrl(url)?.pathname;
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
  readonly #server: SocketServer<typeof SessionSocket>;
  readonly #plain = new BatchBuffers();
  readonly #compressed = new BatchBuffers(new Deflater());
  /** What the handshake that is under way answers with; `ws` asks for it synchronously. */
  #protocol: string | undefined;

  constructor(endpoint: SocketEndpoint) {
    this.#endpoint = endpoint;
    // The types of `ws` do not have its newest options yet.
    const options: ServerOptions<typeof SessionSocket> & {
      closeTimeout: number;
      maxFragments: number;
    } = {
      noServer: true,
      clientTracking: false,
      // `ws` negotiates, and nothing else. A context for each connection would cost memory, and
      // frames that are not the same for all.
      perMessageDeflate: endpoint.compression === true &&
        { serverNoContextTakeover: true, clientNoContextTakeover: true },
      maxPayload: endpoint.maxMessageSize,
      maxFragments: MAX_FRAGMENTS,
      closeTimeout: CLOSE_TIMEOUT,
      // `ws` by itself answers every ping and ends a client that sends many at once.
      autoPong: false,
      handleProtocols: () => this.#protocol ?? false,
      WebSocket: SessionSocket,
    };
    this.#server = new WebSocketServer(options);
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const decision = this.#endpoint.accept(factsOf(request));
    const answer = (result: Awaited<typeof decision>): void => {
      if (result.accepted) this.#upgrade(request, socket, head, result);
      else refuseUpgrade(socket, result);
    };
    if (!(decision instanceof Promise)) return answer(decision);
    // A reset while the decision waits must not become an uncaught error; `close` follows it.
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
    // `ws` refuses the handshake where it cannot meet the offers; the RFC has them declined.
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
    // The client had left already.
    if (!upgraded) session.abandon();
  }
}

function factsOf(request: IncomingMessage): HandshakeRequest {
  const { method = "GET", url = "/", socket } = request;
  // To find an address is a system call.
  return new ReceivedHandshake(method, url, headersOf(request), socket, parseTarget);
}

/** The headers; a copy where they hold what the upgrade changes, or a list. */
function headersOf({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const cookies = headers["set-cookie"];
  if (cookies === undefined && headers[EXTENSIONS] === undefined) {
    return headers as Record<string, string>;
  }
  const copy = { ...headers } as Record<string, string>;
  // Alone among headers it is a list, also in a request, where it means nothing.
  return cookies === undefined ? copy : { ...copy, "set-cookie": cookies.join(", ") };
}

function parseTarget(target: string): URL {
  return targetUrl(target) ?? new URL("http://localhost/");
}

function ignore(): void {}
