/** Streams of events over `node:http`, on Node and on Deno. */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import {
  COMMENT,
  EventEncoder,
  NO_CLOSE_EVENT,
  STREAM_FEATURES,
  type StreamAcceptance,
  type StreamAnswer,
  type StreamEndpoint,
} from "./event-stream.ts";
import { receiveRequest, requestPath } from "./node-upgrade.ts";
import type { Batch, Peer, SocketSession } from "./socket.ts";
import { type Progress, Stall } from "./stall.ts";

/** Shorter texts, in bytes, are written as text, without a buffer. */
const SHORT_TEXT = 16 * 1024;
/**
 * Deno (2.9) reports a write only when all of it is sent. There a socket gets at most this many bytes
 * at a time, so that progress is visible.
 */
const PIECE = 64 * 1024;
/** And it gets the time for a piece that a client with this rate needs, in bytes a second. */
const MIN_RATE = 16 * 1024;

/** Internals of a socket. Other runtimes than Node lack them. */
type NodeSocket = Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null };

/** Answers the requests for streams of one server. */
export class NodeStreams {
  readonly #endpoint: (pathname: string) => StreamEndpoint | undefined;
  readonly #buffers = new EventBuffers();

  /** `endpoint` finds the streams at a path. */
  constructor(endpoint: (pathname: string) => StreamEndpoint | undefined) {
    this.#endpoint = endpoint;
  }

  /** The endpoint that a request is for. */
  find(request: IncomingMessage): StreamEndpoint | undefined {
    const path = requestPath(request);
    return path === undefined ? undefined : this.#endpoint(path);
  }

  /** Answers a request. */
  answer(endpoint: StreamEndpoint, request: IncomingMessage, response: ServerResponse): void {
    // A reset during the decision must not become an uncaught error. A close event follows it.
    response.on("error", ignore);
    const answer = endpoint.answer(receiveRequest(request));
    if (!(answer instanceof Promise)) return this.#respond(endpoint, response, answer);
    answer.then((made) => this.#respond(endpoint, response, made))
      .catch((error) => response.destroy(error));
  }

  #respond(endpoint: StreamEndpoint, response: ServerResponse, answer: StreamAnswer): void {
    const { socket } = response;
    if (response.destroyed || socket === null || socket.destroyed) {
      if (answer.accepted) answer.session.abandon();
      return;
    }
    if (!answer.accepted) {
      const { status, headers, body } = answer;
      response.writeHead(status, { ...headers, ...lengthOf(body) });
      response.end(body ?? undefined);
      return;
    }
    // The end of the connection ends the stream, so that each write is one write of the socket.
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
    response.writeHead(200, { ...answer.headers, connection: "close" });
    response.write(COMMENT);
    new NodeStreamPeer(socket, response, this.#buffers, answer).open(endpoint.stallTimeout);
  }
}

/** The length of a body, which a response without one must not have. */
function lengthOf(body: string | null): Readonly<Record<string, number>> {
  return body === null ? {} : { "content-length": Buffer.byteLength(body) };
}

/** Events as buffers, which the recipients of a batch share. */
class EventBuffers {
  readonly #encoder = new EventEncoder();
  #bytes: Uint8Array | undefined;
  #buffer: Buffer | undefined;

  /** Writes a batch. Returns false if the socket buffers it. */
  write(batch: Batch, socket: Socket): boolean {
    // Most batches have one recipient. A buffer pays only for several.
    if (!this.#encoder.knows(batch) && batch.size <= SHORT_TEXT) {
      return socket.write(this.#encoder.text(batch));
    }
    return socket.write(this.of(batch));
  }

  /** The events of a batch. */
  of(batch: Batch): Buffer {
    const bytes = this.#encoder.bytes(batch);
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#buffer!;
  }
}

/** A stream on a TCP socket, behind the head of its response. */
class NodeStreamPeer implements Peer {
  readonly #socket: NodeSocket;
  readonly #response: ServerResponse;
  readonly #buffers: EventBuffers;
  readonly #session: SocketSession;
  readonly #acceptance: StreamAcceptance;
  #stall: Stall | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  /** What the socket gets later, in pieces, and its size in bytes. */
  #held: Buffer[] = [];
  #heldSize = 0;
  /** Why the server ends it. */
  #ending: { readonly code: number; readonly reason: string } | undefined;
  #gone = false;

  constructor(
    socket: Socket,
    response: ServerResponse,
    buffers: EventBuffers,
    acceptance: StreamAcceptance,
  ) {
    this.#socket = socket;
    this.#response = response;
    this.#buffers = buffers;
    this.#acceptance = acceptance;
    this.#session = acceptance.session;
  }

  open(stallTimeout: number): void {
    const closed = (): void => this.#closed();
    this.#response.once("close", closed);
    // A response whose end waits in the socket has closed already.
    this.#socket.once("close", closed);
    this.#stall = new Stall(stallTimeout, () => this.#progress(), () => this.terminate());
    this.#session.open(this, STREAM_FEATURES);
  }

  get bufferedAmount(): number {
    return this.#socket.writableLength + this.#heldSize;
  }

  send(batch: Batch): number {
    if (!this.#isOpen) return -1;
    if (this.#socket.writableNeedDrain || batch.size > PIECE) {
      if (!this.#showsProgress) this.#hold(this.#buffers.of(batch));
      else this.#buffers.write(batch, this.#socket);
    } else if (this.#buffers.write(batch, this.#socket)) return 0;
    this.#stall?.watch();
    return this.bufferedAmount;
  }

  close(code: number, reason: string, patience: number): void {
    if (this.#gone || this.#ending !== undefined) return;
    const last = this.#acceptance.lastEvent(code, reason);
    if (this.#heldSize > 0) this.#hold(Buffer.from(last));
    else if (this.#socket.writable) this.#socket.write(last);
    this.#ending = { code, reason };
    this.#stall?.stop();
    if (this.#heldSize === 0) this.#response.end();
    this.#awaitEnd(patience, this.#progress().taken);
  }

  ping(): void {
    if (!this.#isOpen) return;
    // What waits is a sign of life itself, as soon as the client takes it.
    if (this.#socket.writableNeedDrain) this.#stall?.watch();
    else this.#socket.write(COMMENT);
    // The client cannot answer. What it does not take is noticed in another way.
    this.#session.pong();
  }

  terminate(): void {
    this.#socket.destroy();
  }

  get #isOpen(): boolean {
    return !this.#gone && this.#ending === undefined && this.#socket.writable;
  }

  get #showsProgress(): boolean {
    return this.#socket._handle?.writeQueueSize !== undefined;
  }

  /** Writes bytes in pieces, one after the other. */
  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#heldSize += bytes.length;
    if (!this.#socket.writableNeedDrain) this.#release();
    else if (this.#held.length === 1) this.#socket.once("drain", this.#release);
  }

  readonly #release = (): void => {
    while (this.#heldSize > 0 && this.#socket.writable) {
      const [first] = this.#held;
      const piece = first.subarray(0, PIECE);
      if (piece.length === first.length) this.#held.shift();
      else this.#held[0] = first.subarray(PIECE);
      this.#heldSize -= piece.length;
      if (!this.#socket.write(piece) && this.#heldSize > 0) {
        this.#socket.once("drain", this.#release);
        return;
      }
    }
    if (this.#ending !== undefined && !this.#gone) this.#response.end();
  };

  /** Destroys the socket once nothing has moved for `patience` milliseconds. */
  #awaitEnd(patience: number, before: number): void {
    this.#patience = setTimeout(() => {
      const { taken } = this.#progress();
      if (taken === before) this.terminate();
      else this.#awaitEnd(patience, taken);
    }, patience);
  }

  #progress(): Progress {
    const { writableLength, bytesWritten, _handle } = this.#socket;
    const queued = _handle?.writeQueueSize;
    const unsent = writableLength + (queued ?? 0);
    const slack = queued === undefined ? writableLength / MIN_RATE * 1_000 : 0;
    return { waiting: unsent + this.#heldSize, taken: bytesWritten - unsent, slack };
  }

  #closed(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#stall?.stop();
    clearTimeout(this.#patience);
    const { code, reason } = this.#ending ?? { code: NO_CLOSE_EVENT, reason: "" };
    this.#session.close(code, reason);
  }
}

function ignore(): void {}
