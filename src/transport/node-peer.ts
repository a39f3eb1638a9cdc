/** Connections of the `ws` package, whose frames go straight to the socket. */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { Deflater } from "./deflate.ts";
import type { Batch, Peer, SocketFeatures, SocketSession } from "./socket.ts";
import { ClientReceiver, type ReceiverOwner } from "./node-receiver.ts";

const FEATURES: SocketFeatures = {
  ping: true,
  terminate: true,
  pause: true,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};

/** After this many inflated bytes the other connections have their turn; one plain read has as many. */
const BURST = 64 * 1024;
/** The `readyState` of a connection that takes data. */
const OPEN = 1;
/** What `close` gets where there was no close frame. */
const NO_FRAME = 1006;
/** The close codes of what breaks a limit or UTF-8; all else that `ws` refuses is 1002. */
const VIOLATIONS: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/**
 * A connection of `ws` that tells its session what happens. A listener for each event, and what it
 * would have to remember, would cost every idle connection half a kilobyte.
 */
export class SessionSocket extends WebSocket implements ReceiverOwner {
  #session: SocketSession | undefined = undefined;
  /** The session wants no more. */
  #held = false;
  /** How much was inflated since other connections had their turn, in bytes. */
  #inflated = 0;
  #resting = false;
  /** `ws` closes with the right code, and then tells of the broken connection alone. */
  #violation: number | undefined = undefined;

  /** Connects an open socket to its session. `buffers` is shared by those whose frames are alike. */
  connect(socket: Socket, buffers: BatchBuffers, session: SocketSession): void {
    this.#session = session;
    ClientReceiver.adopt((this as unknown as { readonly _receiver: object })._receiver, this);
    session.open(new NodePeer(this, socket, buffers), FEATURES);
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const session = this.#session;
    if (session === undefined) return super.emit(event, ...values);
    switch (event) {
      case "message": {
        const [data, isBinary] = values as [Buffer, boolean];
        // It was compressed, came after the end, and was not inflated.
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
        session.close(code === NO_FRAME ? this.#violation ?? code : code, reason.toString());
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

  /** The socket is paused, so it keeps the bytes, and reports its end after they are read. */
  takeBack(bytes: Buffer): void {
    (this as unknown as { readonly _socket: Socket })._socket.unshift(bytes);
  }

  /** One read of 64 KB may inflate to 64 MB, so other connections have their turn in between. */
  inflated(bytes: number): void {
    this.#inflated += bytes;
    if (this.#inflated < BURST || this.#resting) return;
    this.#inflated = 0;
    this.#resting = true;
    super.pause();
    // With immediates the others wait longer: measured, twice as long on Deno.
    setTimeout(() => {
      this.#resting = false;
      if (!this.#held) super.resume();
    }, 0);
  }

  /** `ws` answers a close frame, and refuses a broken one, as soon as it has read it. */
  override close(code?: number, reason?: string | Buffer): void {
    this.#session?.flush();
    super.close(code, reason);
  }
}

/** The code that `ws` closes with because of an error; undefined where it is none of the client's. */
function violationOf(error: Error & { readonly code?: string }): number | undefined {
  if (error.code?.startsWith("WS_ERR_")) return VIOLATIONS[error.code] ?? 1002;
  // What was sent as compressed is not.
  if (error.code?.startsWith("Z_")) return 1007;
  return undefined;
}

/** A text up to this size, in bytes, reaches the kernel without a buffer of its own. */
const SHORT_TEXT = 16 * 1024;

/** Streams wrap every Uint8Array in a Buffer of its own; recipients of one batch share it here. */
export class BatchBuffers {
  readonly #deflater: Deflater | undefined;
  #batch: Batch | undefined;
  #buffer: Buffer | undefined;

  /** `deflater` compresses what is worth it, where that was negotiated. */
  constructor(deflater?: Deflater) {
    this.#deflater = deflater;
  }

  /** Writes a batch to a socket; false where the socket does not take it at once. */
  write(batch: Batch, socket: Socket): boolean {
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#buffer = undefined;
      // Most batches have one recipient, and a buffer costs more than it would save there.
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
    if (this.#webSocket.readyState !== OPEN) return -1;
    // Below its high-water mark a stream has nothing worth asking for.
    return this.#buffers.write(batch, this.#socket) ? 0 : this.#socket.writableLength;
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
