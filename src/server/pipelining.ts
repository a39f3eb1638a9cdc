/**
 * Serves the pipelined requests of a connection one after another. `node:http` alone parses and runs
 * everything that a client sends ahead, and buffers every response until the client reads it.
 */
import { Buffer } from "node:buffer";
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Ends the head of a request. In a body it only makes a piece shorter. */
const END_OF_HEAD = "\r\n\r\n";
/** Most heads are shorter, in bytes. */
const TYPICAL_HEAD = 2 * 1024;
const NOTHING = Buffer.alloc(0);
const LETTER_G = 0x47;
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n/i;

/** A client that reads nothing of its response for this time is disconnected, in milliseconds. */
const STALL_TIMEOUT = 15_000;
/** How often this is checked, in milliseconds. */
const CHECK_INTERVAL = 1_000;
/**
 * The slowest rate of a client, in bytes a second, where progress is not visible: Deno (2.9) reports a
 * write only when all of it is sent.
 */
const MIN_RATE = 16 * 1024;

/** The internals of a socket that are used here. Other runtimes than Node lack some of them. */
type NodeSocket = Socket & {
  readonly _handle?: { _consumed?: boolean; readonly writeQueueSize?: number } | null;
};

/** The connections of one server. */
export class Pipelining {
  readonly #connections = new WeakMap<Socket, Connection>();
  /** The connections with a request now or since the last check. */
  readonly #active = new Set<Connection>();

  /** Takes over the input of a server's connections; `event` announces each of them. */
  constructor(server: Server, event: "connection" | "secureConnection") {
    server.prependListener(event, keepBytes);
    server.on(event, (socket: Socket) => this.#connections.set(socket, new Connection(socket)));
    server.on("upgrade", (_request, socket) => this.#release(socket as Socket));
    // A server that failed to listen emits neither of the two events.
    server.once("listening", () => {
      const timer = setInterval(() => this.#check(), CHECK_INTERVAL);
      server.once("close", () => clearInterval(timer));
    });
  }

  /** To be called with every request, before it is served. */
  begin(response: ServerResponse): void {
    const connection = this.#connections.get(response.req.socket);
    if (connection === undefined) return;
    connection.begin(response);
    this.#active.add(connection);
  }

  /** The response is a stream, which has a limit of its own for a client that reads nothing. */
  exempt(response: ServerResponse): void {
    const connection = this.#connections.get(response.req.socket);
    if (connection !== undefined) this.#active.delete(connection);
  }

  /** Forgets a connection that has become a WebSocket. */
  #release(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    connection.release();
    this.#connections.delete(socket);
    this.#active.delete(connection);
  }

  #check(): void {
    const now = performance.now();
    for (const connection of this.#active) {
      if (!connection.isBusy || connection.endIfStalled(now)) this.#active.delete(connection);
    }
  }
}

/**
 * Passes the bytes of a connection to listeners of `data`. `node:http` parses them in native code,
 * which Node stops doing when there is such a listener. Deno (2.9) does not, and there it does not
 * help to pause the socket either.
 */
function keepBytes(socket: NodeSocket): void {
  if (socket._handle) socket._handle._consumed = true;
}

/**
 * Where to cut, so that one piece has one request: the parser knows better, but cannot be stopped. A
 * chunked body, or the rest of a body, comes in pieces of its own.
 */
function endOfRequest(bytes: Buffer): number {
  // As text: Deno (2.9) takes 180 µs to search 64 KiB of a buffer, and 4 µs as text.
  let text = bytes.toString("latin1", 0, TYPICAL_HEAD);
  let at = text.indexOf(END_OF_HEAD);
  if (at < 0 && bytes.length > TYPICAL_HEAD) {
    text = bytes.toString("latin1");
    at = text.indexOf(END_OF_HEAD);
  }
  if (at < 0) return bytes.length;
  const end = at + END_OF_HEAD.length;
  // Most requests are a GET and end with the head; most others have arrived completely.
  if (end === bytes.length || bytes[0] === LETTER_G) return end;
  const [, length = "0"] = CONTENT_LENGTH.exec(text.slice(0, end)) ?? [];
  return end + Number(length);
}

/** The input of one connection. */
class Connection {
  readonly #socket: NodeSocket;
  /** The listener of `node:http`. */
  readonly #parse: (bytes: Buffer) => void;
  /** The response to the newest request. */
  #response: ServerResponse | undefined;
  /** What has been read but not parsed. */
  #rest: Buffer = NOTHING;
  /** Whether the rest waits for the response. */
  #held = false;
  /** What was unsent at the latest check that saw progress, and when that was. */
  #unsent = 0;
  #checked: ServerResponse | undefined;
  #movedAt = 0;

  constructor(socket: Socket) {
    const [parse] = socket.listeners("data") as [(bytes: Buffer) => void];
    this.#socket = socket;
    this.#parse = parse;
    socket.on("data", this.#take);
    socket.off("data", parse);
  }

  /** Whether the response to the newest request has not been sent completely. */
  get isBusy(): boolean {
    return (this.#held || this.#response?.writableFinished === false) && !this.#socket.destroyed;
  }

  begin(response: ServerResponse): void {
    this.#response = response;
  }

  /** Disconnects a client that has read nothing for too long; true if it did. */
  endIfStalled(now: number): boolean {
    const { writableLength, _handle } = this.#socket;
    const queued = _handle?.writeQueueSize;
    const unsent = writableLength + (queued ?? 0);
    // Deno's TLS does not show its buffer: there the only sign is that the response does not end.
    const isPending = unsent > 0 || this.#held && this.#response?.writableEnded === true;
    if (!isPending || unsent !== this.#unsent || this.#response !== this.#checked) {
      this.#unsent = unsent;
      this.#checked = isPending ? this.#response : undefined;
      this.#movedAt = now;
      return false;
    }
    const more = queued === undefined ? writableLength / MIN_RATE * 1_000 : 0;
    if (now - this.#movedAt < STALL_TIMEOUT + more) return false;
    this.#socket.destroy();
    return true;
  }

  /** Puts back what came behind an upgrade request: the first frames of the WebSocket. */
  release(): void {
    const rest = this.#rest;
    this.#rest = NOTHING;
    this.#socket.off("data", this.#take);
    if (rest.length > 0) this.#socket.unshift(rest);
  }

  readonly #take = (bytes: Buffer): void => {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    if (!this.#held) this.#parseOn();
  };

  #parseOn(): void {
    while (this.#rest.length > 0) {
      if (this.isBusy && this.#response?.req.complete === true) return this.#hold();
      const bytes = this.#rest;
      const end = endOfRequest(bytes);
      const isAll = end >= bytes.length;
      // Set before the head is parsed: an upgrade takes the rest with it.
      this.#rest = isAll ? NOTHING : bytes.subarray(end);
      this.#parse.call(this.#socket, isAll ? bytes : bytes.subarray(0, end));
    }
  }

  #hold(): void {
    this.#held = true;
    this.#socket.pause();
    // In a tick of its own, so that the requests of one client do not block the event loop.
    this.#response?.once("close", () => setImmediate(this.#goOn));
  }

  readonly #goOn = (): void => {
    this.#held = false;
    if (this.#socket.destroyed) return;
    this.#parseOn();
    if (!this.#held) this.#socket.resume();
  };
}
