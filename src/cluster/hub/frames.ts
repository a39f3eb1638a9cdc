/**
 * The frames of the link between a worker and its supervisor: the length of the rest in four bytes, the
 * kind in one, and the body. A frame with a message is handed on as it came. No I/O.
 */

/** What a frame says. Those of the worker come first. */
export const Kind = {
  /** The worker is an instance from now on. No body. */
  open: 1,
  /** It is none any more. No body. */
  close: 2,
  /** A message to a topic, in both directions. */
  message: 3,
  /** The worker subscribes; the number is for the answer. */
  subscribe: 4,
  /** It unsubscribes; the number is 0. */
  unsubscribe: 5,
  /** It has read the withdrawal of this number. */
  confirm: 6,
  /** The supervisor has put the subscription of this number in force everywhere. */
  subscribed: 7,
  /** It has taken this many more messages. */
  taken: 8,
  /** Nobody else listens to these topics; the number is 0. */
  unheard: 9,
  /** That no longer holds for these topics; the number is for the confirmation. */
  withdraw: 10,
  /** The ids of the instances, oldest first; the number is 0. */
  members: 11,
  /** Messages for this worker were left out, since it did not read them; the number says how many. */
  gap: 12,
  /** The worker adds messages to a topic; the number is for the answer. */
  append: 13,
  /** What has become of them. */
  appended: 14,
  /** Messages have been added to a topic that the worker listens to, by whichever worker. */
  kept: 15,
  /** The worker asks for kept messages; the number is for the answer. */
  read: 16,
  /** They are these. */
  entries: 17,
} as const;

/** The largest frame. Nothing that Weir sends comes near it. */
export const MAX_FRAME: number = 64 * 1024 * 1024;
/** The length of a frame, and its kind. */
export const HEAD = 5;
/** The length of a text. */
const LENGTH = 2;

const encoder = new TextEncoder();
/** A topic may begin with a byte order mark. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The other side sent something that is not a frame of this link. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** The kind of a frame. */
export function kindOf(frame: Uint8Array): number {
  return frame[4];
}

/**
 * The frame in a buffer of its own, or in one that is not much larger: one that waits would keep
 * all that was read with it in memory.
 */
export function compact(frame: Uint8Array): Uint8Array {
  return frame.byteLength * 2 < frame.buffer.byteLength ? frame.slice() : frame;
}

/** A frame without a body. */
export function encodeEmpty(kind: number): Uint8Array {
  return newFrame(kind, 0).frame;
}

/** A frame with a number and a list of texts. */
export function encodeList(
  kind: number,
  number: number,
  texts: readonly string[] = [],
): Uint8Array {
  const encoded = texts.map(encodeText);
  const size = encoded.reduce((sum, { length }) => sum + LENGTH + length, 4);
  const { frame, view } = newFrame(kind, size);
  view.setUint32(HEAD, number);
  let at = HEAD + 4;
  for (const bytes of encoded) {
    view.setUint16(at, bytes.length);
    frame.set(bytes, at + LENGTH);
    at += LENGTH + bytes.length;
  }
  return frame;
}

/** A message to a topic. */
export function encodeMessage(topic: string, message: Uint8Array): Uint8Array {
  const name = encodeText(topic);
  const { frame, view } = newFrame(Kind.message, LENGTH + name.length + message.length);
  view.setUint16(HEAD, name.length);
  frame.set(name, HEAD + LENGTH);
  frame.set(message, HEAD + LENGTH + name.length);
  return frame;
}

/**
 * The number and the texts of a frame.
 *
 * @throws {FrameError} It has others. All functions that decode throw it.
 */
export function decodeList(frame: Uint8Array): readonly [number: number, texts: readonly string[]] {
  if (frame.length < HEAD + 4) throw new FrameError("a frame is too short for its number");
  const number = viewOf(frame).getUint32(HEAD);
  const texts: string[] = [];
  for (let at = HEAD + 4; at < frame.length;) {
    const [text, end] = textAt(frame, at);
    texts.push(text);
    at = end;
  }
  return [number, texts];
}

/** The topic and the message of a frame. */
export function decodeMessage(
  frame: Uint8Array,
): readonly [topic: string, message: Uint8Array] {
  const [topic, end] = textAt(frame, HEAD);
  return [topic, frame.subarray(end)];
}

/** Finds the frames in what arrives. */
export class FrameReader {
  /** The beginning of a frame whose rest has not arrived. */
  #partial: Uint8Array = new Uint8Array(0);
  /** How much of it has arrived. */
  #filled = 0;

  /** Calls `take` with each frame that is complete. A frame is not changed afterwards. */
  read(chunk: Uint8Array, take: (frame: Uint8Array) => void): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#filled === 0) {
        const size = sizeOf(rest);
        if (size !== undefined && rest.length >= size) {
          take(rest.subarray(0, size));
          rest = rest.subarray(size);
          continue;
        }
        this.#partial = new Uint8Array(size ?? HEAD);
      }
      rest = rest.subarray(this.#fill(rest));
      if (this.#filled < this.#partial.length) continue;
      const size = sizeOf(this.#partial) as number;
      if (size > this.#filled) this.#grow(size);
      else {
        this.#filled = 0;
        take(this.#partial);
      }
    }
  }

  /** Adds what fits; returns how much that was. */
  #fill(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#partial.length - this.#filled);
    this.#partial.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }

  #grow(size: number): void {
    const head = this.#partial;
    this.#partial = new Uint8Array(size);
    this.#partial.set(head);
  }
}

/** A topic has at most 1,000 bytes; here is only what the two bytes of its length can say. */
function encodeText(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length > 0xffff) throw new FrameError(`a text of ${bytes.length} bytes is no topic`);
  return bytes;
}

function newFrame(kind: number, size: number): { frame: Uint8Array; view: DataView } {
  const frame = new Uint8Array(HEAD + size);
  const view = viewOf(frame);
  view.setUint32(0, size + 1);
  frame[4] = kind;
  return { frame, view };
}

/** The size of the frame that begins here; undefined while its head is not complete. */
function sizeOf(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEAD) return undefined;
  const size = 4 + viewOf(bytes).getUint32(0);
  if (size >= HEAD && size <= MAX_FRAME) return size;
  throw new FrameError(`a frame of ${size} bytes is not one of this link`);
}

function textAt(frame: Uint8Array, at: number): readonly [text: string, end: number] {
  const start = at + LENGTH;
  const end = start <= frame.length ? start + viewOf(frame).getUint16(at) : Infinity;
  if (end > frame.length) throw new FrameError("a frame is too short for its text");
  try {
    return [decoder.decode(frame.subarray(start, end)), end];
  } catch (cause) {
    throw new FrameError("a text of a frame is not UTF-8", { cause });
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
