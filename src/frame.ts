/** A text frame that is encoded once, whatever the number of its recipients. */

const encoder = new TextEncoder();

/** A message on its way to clients: the text, and the bytes of its WebSocket frame when asked for. */
export class Frame {
  /** The JSON text. */
  readonly text: string;
  #bytes: Uint8Array | undefined;

  /** Encodes nothing yet. */
  constructor(text: string) {
    this.text = text;
  }

  /** The whole frame as a server sends it: header and UTF-8 text, not masked. */
  get bytes(): Uint8Array {
    return this.#bytes ??= encodeTextFrame(this.text);
  }
}

/** RFC 6455 section 5.2: FIN and opcode 1, the length in 7, 16 or 64 bits, no mask. */
function encodeTextFrame(text: string): Uint8Array {
  const body = encoder.encode(text);
  const { length } = body;
  const headerLength = length < 126 ? 2 : length < 65536 ? 4 : 10;
  const frame = new Uint8Array(headerLength + length);
  frame[0] = 0x81;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame[2] = length >> 8;
    frame[3] = length & 255;
  } else {
    frame[1] = 127;
    new DataView(frame.buffer).setBigUint64(2, BigInt(length));
  }
  frame.set(body, headerLength);
  return frame;
}
