/**
 * The requests of one connection are served one after another. `node:http` by itself parses and runs
 * whatever a client sends ahead, and keeps every answer until the client reads it.
 */
import { Buffer } from "node:buffer";
import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** What ends the head of a request; in a body it only makes a piece shorter. */
const END_OF_HEAD = "\r\n\r\n";
/** Most heads are shorter, in bytes. */
const USUAL_HEAD = 2 * 1024;
const NOTHING = Buffer.alloc(0);
const LETTER_G = 0x47;
const CONTENT_LENGTH = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n/i;

/** A client that takes nothing of its answer for this time is sent away, in milliseconds. */
const PATIENCE = 15_000;
/** How often that is checked, in milliseconds. */
const CHECK_INTERVAL = 1_000;
/**
 * Deno (2.9) tells nothing of a write until all of it is taken. So there a client has a second more for
 * each of these bytes.
 */
const UNSEEN_RATE = 16 * 1024;

/** What is used of a socket beside its public interface; missing on other runtimes than Node. */
type NodeSocket = Socket & {
  readonly _handle?: { _consumed?: boolean; readonly writeQueueSize?: number } | null;
};

/** The connections of one server. */
export class Turns {
  readonly #connections = new WeakMap<Socket, Connection>();
  /** Those that have had a request since the last check, or have one. */
  readonly #active = new Set<Connection>();

  /** Takes over what comes in on a server's connections; `event` is what announces each of them. */
  constructor(server: Server, event: "connection" | "secureConnection") {
    server.prependListener(event, keepBytes);
    server.on(event, (socket: Socket) => this.#connections.set(socket, new Connection(socket)));
    server.on("upgrade", (_request, socket) => this.#release(socket as Socket));
    // A port that is taken is neither opened nor closed.
    server.once("listening", () => {
      const timer = setInterval(() => this.#check(), CHECK_INTERVAL);
      server.once("close", () => clearInterval(timer));
    });
  }

  /** Tells of each request, before it is served. */
  begin(response: ServerResponse): void {
    const connection = this.#connections.get(response.req.socket);
    if (connection === undefined) return;
    connection.begin(response);
    this.#active.add(connection);
  }

  /** A WebSocket keeps nothing of this. */
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
      if (!connection.isAtWork || connection.endIfStalled(now)) this.#active.delete(connection);
    }
  }
}

/**
 * Has the bytes of a connection come to listeners of `data`. By itself `node:http` parses them below
 * JavaScript, which Node leaves off where there is such a listener. Deno (2.9) does not, and there a
 * pause of the socket stops nothing either.
 */
function keepBytes(socket: NodeSocket): void {
  if (socket._handle) socket._handle._consumed = true;
}

/**
 * Where to cut, so that one piece has one request: the parser knows better, but cannot be stopped. A
 * body in chunks, or the rest of one, comes in pieces of its own.
 */
function endOfRequest(bytes: Buffer): number {
  // As text: Deno (2.9) takes 180 µs to search 64 KiB of a buffer, and 4 µs to search them as text.
  let text = bytes.toString("latin1", 0, USUAL_HEAD);
  let at = text.indexOf(END_OF_HEAD);
  if (at < 0 && bytes.length > USUAL_HEAD) {
    text = bytes.toString("latin1");
    at = text.indexOf(END_OF_HEAD);
  }
  if (at < 0) return bytes.length;
  const end = at + END_OF_HEAD.length;
  // Most are a GET, and end with their heads; of the others most are all that has come.
  if (end === bytes.length || bytes[0] === LETTER_G) return end;
  const [, length = "0"] = CONTENT_LENGTH.exec(text.slice(0, end)) ?? [];
  return end + Number(length);
}

/** What comes in on one connection. */
class Connection {
  readonly #socket: NodeSocket;
  /** The listener of `node:http`. */
  readonly #parse: (bytes: Buffer) => void;
  /** To the newest request. */
  #response: ServerResponse | undefined;
  /** What has been read and not parsed. */
  #rest: Buffer = NOTHING;
  /** The rest waits for the answer. */
  #held = false;
  /** What was left to be taken at the last check at which something had moved, and when that was. */
  #left = 0;
  #checked: ServerResponse | undefined;
  #movedAt = 0;

  constructor(socket: Socket) {
    const [parse] = socket.listeners("data") as [(bytes: Buffer) => void];
    this.#socket = socket;
    this.#parse = parse;
    socket.on("data", this.#take);
    socket.off("data", parse);
  }

  /** The answer to the newest request has not left as a whole. */
  get isAtWork(): boolean {
    return (this.#held || this.#response?.writableFinished === false) && !this.#socket.destroyed;
  }

  begin(response: ServerResponse): void {
    this.#response = response;
  }

  /** Sends a client away that has taken nothing for too long; true where it did. */
  endIfStalled(now: number): boolean {
    const { writableLength, _handle } = this.#socket;
    const queued = _handle?.writeQueueSize;
    const left = writableLength + (queued ?? 0);
    // Deno's TLS has its own buffer, which it tells nothing of: there only the end fails to come.
    const isOwed = left > 0 || this.#held && this.#response?.writableEnded === true;
    if (!isOwed || left !== this.#left || this.#response !== this.#checked) {
      this.#left = left;
      this.#checked = isOwed ? this.#response : undefined;
      this.#movedAt = now;
      return false;
    }
    const more = queued === undefined ? writableLength / UNSEEN_RATE * 1_000 : 0;
    if (now - this.#movedAt < PATIENCE + more) return false;
    this.#socket.destroy();
    return true;
  }

  /** The connection is a WebSocket now, and what came behind the request are its first frames. */
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
      if (this.isAtWork && this.#response?.req.complete === true) return this.#hold();
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
    // In a turn of its own: one client's requests must not keep the event loop from all others.
    this.#response?.once("close", () => setImmediate(this.#goOn));
  }

  readonly #goOn = (): void => {
    this.#held = false;
    if (this.#socket.destroyed) return;
    this.#parseOn();
    if (!this.#held) this.#socket.resume();
  };
}
