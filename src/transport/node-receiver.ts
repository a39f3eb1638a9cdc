/** Reads the frames of one client, with the receiver of `ws` and what that lacks. */
import { Buffer } from "node:buffer";
import * as ws from "ws";
import { inflate } from "./deflate.ts";

type Callback = (error?: Error | null) => void;

/** What is used of the receiver of `ws`, whose types have none of it. deno.json pins its version. */
interface WsReceiver {
  /** What has come and is not parsed yet. */
  _buffers: Buffer[];
  _bufferedBytes: number;
  /** False: the loop over the buffered bytes ends here. */
  _loop: boolean;
  readonly _errored: boolean;
  readonly _fin: boolean;
  readonly _maxPayload: number;
  /** The message so far. */
  _fragments: Uint8Array[];
  _messageLength: number;
  _write(chunk: Buffer, encoding: string, callback: Callback): void;
  /** Begins with a frame. */
  getInfo(callback: Callback): void;
  /** Gets the payload of a frame of a compressed message. */
  decompress(data: Buffer, callback: Callback): void;
  /** Goes on after the payload of a frame, and emits the message after its last one. */
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

/** The code of an error of zlib's that a client is closed with 1009 for. */
const TOO_LARGE = "ERR_BUFFER_TOO_LARGE";
/** The `readyState` of a connection that takes data. */
const OPEN = 1;

/** The connection whose frames are read. */
export interface ReceiverOwner {
  /** The socket is not read, and nothing more is wanted. */
  readonly isPaused: boolean;
  readonly readyState: number;
  /** Takes what has been read and not been parsed; only where it is paused. */
  takeBack(bytes: Buffer): void;
  /** Gets the number of bytes that were just inflated. */
  inflated(bytes: number): void;
}

/**
 * The receiver of `ws`, but nothing in it waits. `ws` inflates in the background, and meanwhile more
 * chunks queue up in the stream that its receiver is. Two mistakes follow from that:
 *
 * - After an error in one chunk `node:stream` still hands over the next one that is queued, and the
 *   receiver goes on in the middle of a frame whose mask it has dropped: a TypeError that nothing
 *   catches (a bad close frame, or bad UTF-8, behind messages that take a while to inflate).
 * - On Deno the stream of zlib tells of bad data twice: by its event `error`, and by its callback as
 *   if all were well, where `ws` resets an inflater that is closed: an assertion that nothing
 *   catches.
 *
 * So a message is inflated synchronously, in one call, and never to more than the limit. This also
 * makes a pause exact: what came in the same chunk as the last message goes back to the socket.
 */
export class ClientReceiver extends Receiver {
  declare owner: ReceiverOwner;

  /** Makes the receiver that `ws` has built for a socket one of these. */
  static adopt(receiver: object, owner: ReceiverOwner): void {
    Object.setPrototypeOf(receiver, ClientReceiver.prototype);
    (receiver as ClientReceiver).owner = owner;
  }

  override _write(chunk: Buffer, encoding: string, callback: Callback): void {
    // As nothing waits, no chunk is queued any more. This guards against the TypeError all the same.
    if (this._errored) callback();
    else super._write(chunk, encoding, callback);
  }

  override getInfo(callback: Callback): void {
    const { isPaused, readyState } = this.owner;
    if (isPaused && readyState === OPEN && this._bufferedBytes > 0) giveBack(this);
    else super.getInfo(callback);
  }

  override decompress(data: Buffer, callback: Callback): void {
    // No answer can be sent any more: the message becomes an empty one, which the connection ignores.
    if (this.owner.readyState !== OPEN) {
      this._fragments = [];
      return this.dataMessage(callback);
    }
    // Until the last one comes, `ws` bounds them by what they have on the wire.
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
    this.owner.inflated(message.length);
    this.dataMessage(callback);
  }
}

/** Ends the loop before the next frame. */
function giveBack(receiver: ClientReceiver): void {
  const { _buffers: buffers, owner } = receiver;
  receiver._buffers = [];
  receiver._bufferedBytes = 0;
  receiver._loop = false;
  owner.takeBack(buffers.length === 1 ? buffers[0] : Buffer.concat(buffers));
}

type ZlibError = Error & { readonly code?: string };

function violation(receiver: ClientReceiver, { code = "", message }: ZlibError): Error {
  return code === TOO_LARGE
    ? receiver.createError(RangeError, message, false, 1009, "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH")
    : receiver.createError(Error, message, false, 1007, code);
}
