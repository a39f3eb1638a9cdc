/**
 * Bounds the headers that the client library decodes. It calls itself for each level of a header, and
 * parses a body before anything else sees it. A header that nests 5000 levels deep overflows its
 * stack: it closes its connection, receives the same message again, and the queue is blocked. So each
 * message's header is bounded in its bytes before the library decodes them.
 */
import type { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { AsyncMessage, Connection } from "rabbitmq-client";
import { MAX_DEPTH } from "../../../../base/json.ts";

/** A frame of AMQP 0-9-1 begins with its type, channel and length, and ends with one byte. */
const HEAD = 7;
const HEADER_FRAME = 2;

/** The offsets of the flags of a header frame's properties, and of the first property. */
const FLAGS = 12;
const PROPERTIES = 14;

/** The flags of the first properties, which are in this order. */
const CONTENT_TYPE = 0x8000;
const CONTENT_ENCODING = 0x4000;
const HEADERS = 0x2000;

/**
 * The content types whose bodies the library parses, if they are written exactly like this. The case
 * of a letter has no meaning, so a capital prevents that.
 */
const PARSED = ["application/json", "text/plain"];
const CAPITAL = 0x20;
const MASKED = new Map(PARSED.map((type) => [type[0].toUpperCase() + type.slice(1), type]));
const LONGEST = Math.max(...PARSED.map(({ length }) => length));

/** The smallest size of a level: a letter and a length. */
const SMALLEST_LEVEL = 5;

/** The letters of lists, tables and bytes. */
const LIST = 0x41;
const TABLE = 0x46;
const BYTES = 0x78;

/** The size of values by their letters; those in LONG begin with their length. */
const SIZES = new Map(
  Object.entries({ t: 1, b: 1, B: 1, s: 2, u: 2, I: 4, i: 4, f: 4, D: 5, l: 8, T: 8, d: 8, V: 0 })
    .map(([letter, size]) => [letter.charCodeAt(0), size]),
);
const LONG = new Set(["S", "x", "A", "F"].map((letter) => letter.charCodeAt(0)));

/**
 * Bounds the headers of each message on a connection. Must be called in its event "connection":
 * then the library has read whole frames, and no message has arrived yet.
 */
export function boundHeaders(connection: Connection): void {
  // The library has no hook for this, so deno.json names its exact version. It reads each frame with
  // two calls of the socket's `read`: the head, then the rest. Other calls are passed through.
  const { _socket: socket } = connection as unknown as { readonly _socket: Readable };
  const read = socket.read.bind(socket);
  let type = 0;
  let rest = 0;
  socket.read = (size?: number): Buffer | null => {
    const bytes: Buffer | null = read(size);
    // Node's streams call it as well, with 0.
    if (bytes === null || bytes.length !== size) return bytes;
    if (rest === 0) {
      if (size !== HEAD) return bytes;
      type = bytes[0];
      rest = bytes.readUInt32BE(3) + 1;
    } else {
      rest = 0;
      if (type === HEADER_FRAME) boundHeader(bytes);
    }
    return bytes;
  };
}

/**
 * Changes the payload of a header frame in place, so that the library does not parse the body, and
 * reads bytes where headers nest more than one level too deep.
 */
export function boundHeader(payload: Buffer): void {
  if (payload.length < PROPERTIES) return;
  const flags = payload.readUInt16BE(FLAGS);
  let at = PROPERTIES;
  if ((flags & CONTENT_TYPE) !== 0) {
    const length = payload[at] ?? 0;
    const type = length <= LONGEST ? payload.toString("latin1", at + 1, at + 1 + length) : "";
    if (PARSED.includes(type)) payload[at + 1] ^= CAPITAL;
    at += 1 + length;
  }
  if ((flags & CONTENT_ENCODING) !== 0) at += 1 + (payload[at] ?? 0);
  if ((flags & HEADERS) !== 0) boundTable(payload, at);
}

/** The message with its own content type. */
export function withContentType(message: AsyncMessage): AsyncMessage {
  const contentType = MASKED.get(message.contentType ?? "");
  return contentType === undefined ? message : { ...message, contentType };
}

/** Turns the lists and tables that are deeper than `MAX_DEPTH` plus one into bytes. */
function boundTable(bytes: Buffer, start: number): void {
  if (start + 4 > bytes.length) return;
  const size = bytes.readUInt32BE(start);
  if (size <= SMALLEST_LEVEL * MAX_DEPTH) return;
  /** The lists and tables around `at`, the innermost last. */
  const around = [{ isTable: true, end: Math.min(start + 4 + size, bytes.length) }];
  let at = start + 4;
  for (let inner = around.at(-1); inner !== undefined; inner = around.at(-1)) {
    if (at >= inner.end) {
      at = inner.end;
      around.pop();
      continue;
    }
    if (inner.isTable) at += 1 + bytes[at];
    const letter = bytes[at];
    const fixed = SIZES.get(letter);
    if (fixed !== undefined) {
      at += 1 + fixed;
      continue;
    }
    // The library and the broker know no other letters: the broker writes `L` as `l`.
    if (!LONG.has(letter) || at + 5 > bytes.length) return;
    const end = Math.min(at + 5 + bytes.readUInt32BE(at + 1), inner.end);
    const nests = letter === LIST || letter === TABLE;
    if (nests && around.length <= MAX_DEPTH) {
      around.push({ isTable: letter === TABLE, end });
      at += 5;
      continue;
    }
    if (nests) bytes[at] = BYTES;
    at = end;
  }
}
