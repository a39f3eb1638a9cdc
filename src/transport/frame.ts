/** A text frame that is encoded once for all recipients. */

const encoder = new TextEncoder();

/** Characters with more than one byte in UTF-8, and those that JSON escapes. */
const NOT_ASCII = /[^ -~]/;
/** Longer texts are not searched for such characters, but encoded. */
const SHORT = 4096;

/** A message to clients: its text, and its WebSocket frame, which is encoded on first use. */
export class Frame {
  /** The JSON text. */
  readonly text: string;
  /** The id of its event on a stream; undefined where it has none. */
  eventId: string | undefined = undefined;
  #size = 0;
  #isAscii: boolean | undefined = undefined;
  #bytes: Uint8Array | undefined = undefined;

  /** Does not encode the text yet. */
  constructor(text: string) {
    this.text = text;
  }

  /** The size on the wire, in bytes. */
  get size(): number {
    if (this.#size === 0) {
      const { length } = this.text;
      this.#size = this.#isPlain() ? headerLength(length) + length : this.bytes.length;
    }
    return this.#size;
  }

  /** The frame that a server sends: header and UTF-8 text, not masked. */
  get bytes(): Uint8Array {
    return this.#bytes ??= encodeTextFrame(this.text);
  }

  /** The same as text with one character for each byte; undefined if that saves nothing. */
  get byteText(): string | undefined {
    return this.#isPlain() ? headerText(this.text.length) + this.text : undefined;
  }

  /** Whether each character of the text is one byte in UTF-8. */
  #isPlain(): boolean {
    return this.#isAscii ??= this.text.length <= SHORT && !NOT_ASCII.test(this.text);
  }
}

/** RFC 6455 section 5.2: FIN and opcode 1, the length in 7, 16 or 64 bits, no mask. */
function encodeTextFrame(text: string): Uint8Array {
  const body = encoder.encode(text);
  const { length } = body;
  const start = headerLength(length);
  const frame = new Uint8Array(start + length);
  frame[0] = 0x81;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = 126;
    frame[2] = length >> 8;
    frame[3] = length & 255;
  } else {
    frame[1] = 127;
    new DataView(frame.buffer).setBigUint64(2, BigInt(length));
  }
  frame.set(body, start);
  return frame;
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65536 ? 4 : 10;
}

/** The header of a short text. */
function headerText(length: number): string {
  return length < 126
    ? String.fromCharCode(0x81, length)
    : String.fromCharCode(0x81, 126, length >> 8, length & 255);
}
