/** Reads the frames of one client: the receiver of `ws` with fixes. */
import { Buffer } from "node:buffer";
import * as ws from "ws";
import { inflate } from "./deflate.ts";

type Callback = (error?: Error | null) => void;

/** The internals of the receiver of `ws` that are used here. deno.json pins its version. */
interface WsReceiver {
  /** The bytes that are not parsed yet. */
  _buffers: Buffer[];
  _bufferedBytes: number;
  /** False ends the loop over the buffered bytes. */
  _loop: boolean;
  readonly _errored: boolean;
  readonly _fin: boolean;
  readonly _maxPayload: number;
  /** The parts of the current message. */
  _fragments: Uint8Array[];
  _messageLength: number;
  _write(chunk: Buffer, encoding: string, callback: Callback): void;
  /** Takes no more bytes. */
  end(): void;
  /** Starts to read a frame. */
  getInfo(callback: Callback): void;
  /** Receives the payload of a frame of a compressed message. */
  decompress(data: Buffer, callback: Callback): void;
  /** Continues after the payload of a frame. After the last one, emits the message. */
  dataMessage(callback: Callback): void;
  createError(
    type: ErrorConstructor,
    text: string,
    prefix: boolean,
    close: number,
    code: string,
  ): Error;
}

const { Receiver } = ws as unknown as { readonly Receiver: new () => WsReceiver };

/** The code of zlib's error for a message over the limit. */
const TOO_LARGE = "ERR_BUFFER_TOO_LARGE";
/** The `readyState` of an open connection. */
const OPEN = 1;

/** The connection whose frames are read. */
export interface ReceivingSocket {
  /** Whether reading is paused. */
  readonly isPaused: boolean;
  readonly readyState: number;
  /** Takes back bytes that were read but not parsed. Called only while paused. */
  takeBack(bytes: Buffer): void;
  /** Receives the number of bytes that were just inflated. */
  inflated(bytes: number): void;
  /** Nothing more will arrive. */
  ended(): void;
}

/**
 * The receiver of `ws`, made synchronous. `ws` inflates in the background, while more chunks queue
 * up in its receiver, which is a stream. This leads to two errors that nothing can catch:
 *
 * - After an error in one chunk, `node:stream` still delivers the next chunk in the queue. The
 *   receiver continues in the middle of a frame whose mask it has dropped, and throws a TypeError.
 *   A bad close frame or bad UTF-8 behind messages that take a while to inflate is enough.
 * - On Deno, zlib's stream reports bad data twice: with the event `error`, and with its callback as
 *   if it had succeeded. `ws` then resets an inflater that is closed, and an assertion fails.
 *
 * Here, a message is inflated in one synchronous call, and never to more than the limit. This also
 * makes a pause exact: bytes behind the last message go back to the socket.
 */
export class ClientReceiver extends Receiver {
  declare socket: ReceivingSocket;

  /** Converts the receiver that `ws` has created for a socket. */
  static adopt(receiver: object, socket: ReceivingSocket): void {
    Object.setPrototypeOf(receiver, ClientReceiver.prototype);
    (receiver as ClientReceiver).socket = socket;
  }

  override _write(chunk: Buffer, encoding: string, callback: Callback): void {
    // No chunk is queued any more, since nothing waits. This is a second guard.
    if (this._errored) callback();
    else super._write(chunk, encoding, callback);
  }

  override getInfo(callback: Callback): void {
    const { isPaused, readyState } = this.socket;
    if (isPaused && readyState === OPEN && this._bufferedBytes > 0) giveBack(this);
    else super.getInfo(callback);
  }

  /** `ws` calls this after a close frame and at the end of the stream, perhaps long before `close`. */
  override end(): void {
    this.socket.ended();
    super.end();
  }

  override decompress(data: Buffer, callback: Callback): void {
    // The connection is closing. It ignores the empty message that this becomes.
    if (this.socket.readyState !== OPEN) {
      this._fragments = [];
      return this.dataMessage(callback);
    }
    // Until the last part arrives, `ws` limits their size on the wire.
    this._fragments.push(data);
    if (!this._fin) return this.dataMessage(callback);
    let message: Buffer;
    try {
      message = inflate(this._fragments, this._maxPayload);
    } catch (error) {
      return callback(violation(this, error as ZlibError));
    }
    this._fragments = [message];
    this._messageLength = message.length;
    this.socket.inflated(message.length);
    this.dataMessage(callback);
  }
}

/** Gives the unparsed bytes back to the socket and ends the loop before the next frame. */
function giveBack(receiver: ClientReceiver): void {
  const { _buffers: buffers, socket } = receiver;
  receiver._buffers = [];
  receiver._bufferedBytes = 0;
  receiver._loop = false;
  socket.takeBack(buffers.length === 1 ? buffers[0] : Buffer.concat(buffers));
}

type ZlibError = Error & { readonly code?: string };

function violation(receiver: ClientReceiver, { code = "", message }: ZlibError): Error {
  return code === TOO_LARGE
    ? receiver.createError(RangeError, message, false, 1009, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH")
    : receiver.createError(Error, message, false, 1007, code);
}
