/**
 * permessage-deflate (RFC 7692) without context takeover: a frame is compressed once for all
 * recipients, and each message is inflated on its own.
 */
import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from "node:zlib";
import type { Frame } from "./frame.ts";
import type { Batch } from "./socket.ts";

/** Smaller frames, in bytes, are not compressed: it would save next to nothing. */
export const COMPRESSION_THRESHOLD = 1024;

/** Level 3 takes half the time of the default level, and the result is nearly as small. */
const OPTIONS: ZlibOptions = { level: 3, finishFlush: constants.Z_SYNC_FLUSH };
/** The end of a flush, which the sender omits (RFC 7692, section 7.2.1). */
const FLUSH_TAIL = [0, 0, 0xff, 0xff];
/** Followed by an empty final block: without it, zlib accepts a message that is cut off. */
const END_OF_MESSAGE = Buffer.from([...FLUSH_TAIL, 1, ...FLUSH_TAIL]);
/** FIN, RSV1 for "compressed", and the opcode of text. */
const COMPRESSED_TEXT = 0xc1;

const WINDOW_BITS = '("?)(?:[89]|1[0-5])\\1';
/**
 * The parameters of an acceptable offer. `server_max_window_bits` is not one of them: a client with
 * a smaller window than the others would need its own frames.
 */
const PARAMETER = new RegExp(
  `^(?:(?:server|client)_no_context_takeover|client_max_window_bits(?:=${WINDOW_BITS})?)$`,
);

/** Whether `Sec-WebSocket-Extensions` has an acceptable offer of permessage-deflate. */
export function offersDeflate(header: string): boolean {
  return header.split(",").some((offer) => {
    const [name, ...parameters] = offer.split(";").map((part) => part.trim());
    const names = new Set(parameters.map((parameter) => parameter.split("=")[0]));
    return name === "permessage-deflate" && names.size === parameters.length &&
      parameters.every((parameter) => PARAMETER.test(parameter));
  });
}

/** Encodes batches for connections that have negotiated compression. */
export class Deflater {
  /** A compressed frame is the same for all recipients. */
  readonly #compressed = new WeakMap<Frame, Uint8Array>();

  /** The frames of a batch in order, joined. Those of at least the threshold are compressed. */
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
 * Inflates a message that arrived in parts.
 *
 * @throws {RangeError} `ERR_BUFFER_TOO_LARGE`: the message has more than `limit` bytes.
 * @throws {Error} `Z_…`: the parts are not deflate data, or are cut off.
 */
export function inflate(parts: readonly Uint8Array[], limit: number): Buffer {
  return inflateRawSync(Buffer.concat([...parts, END_OF_MESSAGE]), { maxOutputLength: limit });
}

/** The result is always shorter: no UTF-8 text of this size is incompressible. */
function compress({ text }: Frame): Uint8Array {
  const flushed = deflateRawSync(text, OPTIONS);
  const body = flushed.subarray(0, flushed.length - FLUSH_TAIL.length);
  return Buffer.concat([headerOf(body.length), body]);
}

/** RFC 6455, section 5.2: the length in 7, 16 or 64 bits, no mask. */
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
