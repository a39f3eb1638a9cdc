/**
 * permessage-deflate (RFC 7692) without a context that goes from message to message: a frame for many
 * recipients is compressed once, and a message inflates by itself.
 */
import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from "node:zlib";
import type { Frame } from "./frame.ts";
import type { Batch } from "./socket.ts";

/** Frames below this size, in bytes, go out as they are: compressing them saves next to nothing. */
export const COMPRESSION_THRESHOLD = 1024;

/** Level 3 takes half the time of the default level and comes to nearly the same size. */
const OPTIONS: ZlibOptions = { level: 3, finishFlush: constants.Z_SYNC_FLUSH };
/** What a flush ends with; the RFC has the sender leave it out. */
const FLUSH_TAIL = [0, 0, 0xff, 0xff];
/** An empty last block after it: without one zlib takes a message that is cut off for a whole one. */
const END_OF_MESSAGE = Buffer.from([...FLUSH_TAIL, 1, ...FLUSH_TAIL]);
/** FIN, RSV1 for "compressed", and the opcode of text. */
const COMPRESSED_TEXT = 0xc1;

const WINDOW_BITS = '("?)(?:[89]|1[0-5])\\1';
/**
 * The parameters of an offer that can be met. `server_max_window_bits` is none of them: a smaller
 * window than that of the others would need frames of its own.
 */
const PARAMETER = new RegExp(
  `^(?:(?:server|client)_no_context_takeover|client_max_window_bits(?:=${WINDOW_BITS})?)$`,
);

/** Whether one of the offers in `Sec-WebSocket-Extensions` is a permessage-deflate that can be met. */
export function offersDeflate(header: string): boolean {
  return header.split(",").some((offer) => {
    const [name, ...parameters] = offer.split(";").map((part) => part.trim());
    const names = new Set(parameters.map((parameter) => parameter.split("=")[0]));
    return name === "permessage-deflate" && names.size === parameters.length &&
      parameters.every((parameter) => PARAMETER.test(parameter));
  });
}

/** Batches as they stand on the wire of a connection that negotiated compression. */
export class Deflater {
  /** Without a context that goes from frame to frame, a frame is the same for all recipients. */
  readonly #compressed = new WeakMap<Frame, Uint8Array>();

  /** The frames of a batch in order, joined; those compressed that are worth it. */
  bytes(batch: Batch): Uint8Array {
    const { frames } = batch;
    if (frames.every((frame) => frame.size < COMPRESSION_THRESHOLD)) return batch.bytes();
    return frames.length === 1
      ? this.#of(frames[0])
      : Buffer.concat(frames.map((f) => this.#of(f)));
  }

  #of(frame: Frame): Uint8Array {
    if (frame.size < COMPRESSION_THRESHOLD) return frame.bytes;
    let bytes = this.#compressed.get(frame);
    if (bytes === undefined) {
      bytes = compress(frame);
      this.#compressed.set(frame, bytes);
    }
    return bytes;
  }
}

/**
 * The message that was sent in these parts.
 *
 * @throws {RangeError} `ERR_BUFFER_TOO_LARGE`: it has more than `limit` bytes; no more are inflated.
 * @throws {Error} `Z_…`: it is not deflate data, or is cut off.
 */
export function inflate(parts: readonly Uint8Array[], limit: number): Buffer {
  return inflateRawSync(Buffer.concat([...parts, END_OF_MESSAGE]), { maxOutputLength: limit });
}

/** UTF-8 always leaves something to save, so the result is shorter. */
function compress({ text }: Frame): Uint8Array {
  const flushed = deflateRawSync(text, OPTIONS);
  const body = flushed.subarray(0, flushed.length - FLUSH_TAIL.length);
  return Buffer.concat([headerOf(body.length), body]);
}

/** RFC 6455 section 5.2: the length in 7, 16 or 64 bits, no mask. */
function headerOf(length: number): Buffer {
  if (length < 126) return Buffer.from([COMPRESSED_TEXT, length]);
  const header = Buffer.alloc(length < 65536 ? 4 : 10);
  header[0] = COMPRESSED_TEXT;
  if (length < 65536) {
    header[1] = 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] = 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return header;
}
