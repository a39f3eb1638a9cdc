/** WebSocket frames as bytes, right ones and wrong ones (RFC 6455, section 5.2). */
import { Buffer } from "node:buffer";

/** The kinds of frames that the RFC knows. */
export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

/** A frame to be sent. What is left out is as a good client would have it. */
export interface ClientFrame {
  /** Text by default. */
  readonly opcode?: number;
  /** Empty by default. */
  readonly payload?: string | Uint8Array;
  /** False where more fragments follow. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  /** Without a mask the frame is wrong. */
  readonly masked?: boolean;
  /** Says that the payload is so long, whatever it is. */
  readonly declaredLength?: number;
}

/** A frame that came from the server. */
export interface ServerFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly reserved: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

const MASK = [0x1b, 0x9a, 0x00, 0xff];

/** A frame as a client sends it. */
export function encodeFrame(frame: ClientFrame): Buffer {
  const { opcode = opcodes.text, fin = true, reserved = 0, masked = true } = frame;
  const payload = Buffer.from(frame.payload ?? "");
  const length = frame.declaredLength ?? payload.length;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65536 ? 4 : 10);
  header[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  header[1] = masked ? 0x80 : 0;
  if (length < 126) header[1] |= length;
  else if (length < 65536) {
    header[1] |= 126;
    header.writeUInt16BE(length, 2);
  } else {
    header[1] |= 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  if (!masked) return Buffer.concat([header, payload]);
  const body = Buffer.from(payload);
  for (let i = 0; i < body.length; i++) body[i] ^= MASK[i & 3];
  return Buffer.concat([header, Buffer.from(MASK), body]);
}

/** The body of a close frame. */
export function closeBody(code: number, reason: string | Uint8Array = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** A server's frame at the start of `bytes` and where it ends; undefined where it is not all there. */
export function decodeFrame(bytes: Buffer): { frame: ServerFrame; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const masked = (bytes[1] & 0x80) !== 0;
  const short = bytes[1] & 0x7f;
  const start = (short < 126 ? 2 : short === 126 ? 4 : 10) + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length = short < 126
    ? short
    : short === 126
    ? bytes.readUInt16BE(2)
    : Number(bytes.readBigUInt64BE(2));
  const end = start + length;
  if (bytes.length < end) return undefined;
  const frame = {
    opcode: bytes[0] & 0x0f,
    fin: (bytes[0] & 0x80) !== 0,
    reserved: (bytes[0] >> 4) & 7,
    masked,
    payload: bytes.subarray(start, end),
  };
  return { frame, end };
}
