/** Sockets of the `ws` package. Weir's own frames bypass it and go straight to the TCP socket. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Deflater } from "./deflate.ts";
import { ALL_FEATURES, type Batch, type Peer, type SocketSession } from "./socket.ts";
import { ClientReceiver, type ReceivingSocket } from "./node-receiver.ts";

/** After this many inflated bytes, other connections get a turn. A plain read has as many. */
const BURST = 64 * 1024;
/** The `readyState` of an open connection. */
const OPEN = 1;
/** The code of a connection that closed without a close frame. */
const NO_CLOSE_FRAME = 1006;
/** The close codes of a broken limit or of bad UTF-8. Anything else that `ws` refuses is 1002. */
const VIOLATIONS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/**
 * A socket of `ws` that passes its events to a session. It overrides `emit`, since a listener for
 * each event would cost every idle connection half a kilobyte.
 */
export class SessionSocket extends WebSocket implements ReceivingSocket {
  #session: SocketSession | undefined = undefined;
  /** The session has paused the socket. */
  #held = false;
  /** The bytes that were inflated since other connections had a turn. */
  #inflated = 0;
  /** The socket is paused so that other connections get a turn. */
  #resting = false;
  /** `ws` closes with the right code, but reports only that the connection was lost. */
  #violation: number | undefined = undefined;

  /** Connects an open socket to its session. Sockets with the same encoding share `buffers`. */
  connect(socket: Socket, buffers: BatchBuffers, session: SocketSession): void {
    this.#session = session;
    ClientReceiver.adopt((this as unknown as { readonly _receiver: object })._receiver, this);
    session.open(new NodePeer(this, socket, buffers), ALL_FEATURES);
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const session = this.#session;
    if (session === undefined) return super.emit(event, ...values);
    switch (event) {
      case "message": {
        const [data, isBinary] = values as [Buffer, boolean];
        // A compressed message that arrived after the close and was not inflated.
        if (data.length === 0 && this.readyState !== OPEN) return true;
        if (isBinary) session.binary();
        else session.message(data.toString());
        return true;
      }
      case "ping":
        session.ping(values[0] as Buffer);
        return true;
      case "pong":
        session.pong();
        return true;
      case "error":
        this.#violation = violationOf(values[0] as Error);
        return true;
      case "close": {
        const [code, reason] = values as [number, Buffer];
        session.close(code === NO_CLOSE_FRAME ? this.#violation ?? code : code, reason.toString());
        return true;
      }
    }
    return super.emit(event, ...values);
  }

  override pause(): void {
    this.#held = true;
    super.pause();
  }

  override resume(): void {
    this.#held = false;
    if (!this.#resting) super.resume();
  }

  /** The paused socket keeps the bytes, and reports its end after they have been read. */
  takeBack(bytes: Buffer): void {
    (this as unknown as { readonly _socket: Socket })._socket.unshift(bytes);
  }

  /** A read of 64 KB may inflate to 64 MB, so other connections get a turn in between. */
  inflated(bytes: number): void {
    this.#inflated += bytes;
    if (this.#inflated < BURST || this.#resting) return;
    this.#inflated = 0;
    this.#resting = true;
    super.pause();
    // With `setImmediate` the others wait longer: twice as long on Deno, as measured.
    setTimeout(() => {
      this.#resting = false;
      if (!this.#held) super.resume();
    }, 0);
  }

  /** Also where the client has ended its side without a close frame. */
  ended(): void {
    this.#session?.closing();
  }

  /** `ws` calls this as soon as it has read a close frame or an invalid one. */
  override close(code?: number, reason?: string | Buffer): void {
    this.#session?.closing();
    super.close(code, reason);
  }
}

/** The code that `ws` closes with; undefined if the client did not cause the error. */
function violationOf(error: Error & { readonly code?: string }): number | undefined {
  if (error.code?.startsWith("WS_ERR_")) return VIOLATIONS[error.code] ?? 1002;
  // The data is not valid deflate data.
  if (error.code?.startsWith("Z_")) return 1007;
  return undefined;
}

/** Texts up to this size, in bytes, are written as text, without a buffer. */
const SHORT_TEXT = 16 * 1024;

/** Streams wrap each Uint8Array in a Buffer. Here, the recipients of a batch share one. */
export class BatchBuffers {
  readonly #deflater: Deflater | undefined;
  #batch: Batch | undefined;
  #buffer: Buffer | undefined;

  /** With `deflater` for connections that have negotiated compression. */
  constructor(deflater?: Deflater) {
    this.#deflater = deflater;
  }

  /** Writes a batch to a socket. Returns false if the socket buffers it. */
  write(batch: Batch, socket: Socket): boolean {
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#buffer = undefined;
      // Most batches have one recipient. A buffer pays only for several.
      const short = this.#deflater === undefined && batch.size <= SHORT_TEXT;
      const text = short ? batch.byteText?.() : undefined;
      if (text !== undefined) return socket.write(text, "latin1");
    }
    return socket.write(this.#buffer ??= this.#encode(batch));
  }

  #encode(batch: Batch): Buffer {
    const bytes = this.#deflater === undefined ? batch.bytes() : this.#deflater.bytes(batch);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/** The peer of a `SessionSocket`. Its frames go to the TCP socket between those of `ws`. */
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
    if (this.#webSocket.readyState !== OPEN) return -1;
    // Below the high-water mark of the stream, the exact amount does not matter.
    return this.#buffers.write(batch, this.#socket) ? 0 : this.#socket.writableLength;
  }

  close(code: number, reason: string, patience: number): void {
    const socket = this.#socket;
    const terminate = (): void => this.#webSocket.terminate();
    this.#webSocket.close(code, reason);
    // A write that makes progress restarts this timeout.
    socket.setTimeout(patience, terminate);
    // After that, only the client's close frame counts: it may keep sending other frames.
    const awaitClose = (): void => {
      const timer = setTimeout(terminate, patience);
      socket.once("close", () => clearTimeout(timer));
    };
    if (socket.writableNeedDrain) socket.once("drain", awaitClose);
    else awaitClose();
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
