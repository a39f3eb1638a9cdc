/**
 * A WebSocket client down to the byte, for tests of what no library sends: any bytes, cut anywhere,
 * in any pace; and every frame that comes back is shown with its bits.
 *
 * ```ts ignore
 * const client = await FrameClient.connect(port);
 * await client.open("/ws"); // or client.write(handshakeText(…)), and client.response()
 * client.write(frameBytes({ payload: '{"type":"ping"}', mask: [0, 0, 0, 0] }));
 * await client.drip(frameBytes({ opcode: opcodes.ping }), 1); // byte by byte
 * const frame = await client.next(); // undefined at the end of the connection
 * const frames = await client.rest(); // all that is left, and whether the connection has ended
 * ```
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { type HandshakeOptions, handshakeText, type Response } from "../support/socket-client.ts";
import { decodeFrame, opcodes, type ServerFrame } from "../support/socket-frames.ts";
import { pause } from "../support/socket-probe.ts";

/** A frame to be sent. What is left out is as a good client would have it. */
export interface WireFrame {
  /** Text by default. */
  readonly opcode?: number;
  /** Empty by default. */
  readonly payload?: string | Uint8Array;
  /** False where more fragments follow. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number;
  /** Four bytes; null leaves the mask out, and the frame is wrong. */
  readonly mask?: readonly number[] | null;
  /** Says that the payload is so long, whatever it is. */
  readonly declared?: bigint;
  /** In how many bytes the length is written, 0, 2 or 8; the fewest by default. */
  readonly lengthBytes?: number;
}

const MASK = [0x37, 0xfa, 0x21, 0x3d];

/** How long anything that must happen may take, in milliseconds. */
const PATIENCE = 10_000;

/** A frame as it stands on the wire. */
export function frameBytes(frame: WireFrame): Buffer {
  const { opcode = opcodes.text, fin = true, reserved = 0, mask = MASK } = frame;
  const payload = Buffer.from(frame.payload ?? "");
  const length = frame.declared ?? BigInt(payload.length);
  const lengthBytes = frame.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const head = Buffer.alloc(2 + lengthBytes);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = mask === null ? 0 : 0x80;
  if (lengthBytes === 0) head[1] |= Number(length);
  else if (lengthBytes === 2) {
    head[1] |= 126;
    head.writeUInt16BE(Number(length), 2);
  } else {
    head[1] |= 127;
    head.writeBigUInt64BE(length, 2);
  }
  if (mask === null) return Buffer.concat([head, payload]);
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i & 3];
  return Buffer.concat([head, Buffer.from(mask), payload]);
}

/** What was left on a connection. */
export interface Rest {
  readonly frames: readonly ServerFrame[];
  /** False: time was up before the server let go. */
  readonly ended: boolean;
}

/** One TCP connection: first HTTP, then frames. */
export class FrameClient {
  readonly socket: Socket;
  /** Resolves when the server has let go, by a reset or a plain end. */
  readonly gone: Promise<void>;
  /** Takes frames that are not what a test reads, such as a room's messages; true where it did. */
  skim: ((frame: ServerFrame) => boolean) | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket = socket;
    this.gone = promise;
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
      resolve();
    };
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    // Where the server destroys the connection, this side may see a reset.
    socket.on("error", () => {});
    socket.on("end", end);
    socket.on("close", end);
  }

  /** Connects to a port of this machine, and says nothing. */
  static connect(port: number): Promise<FrameClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new FrameClient(socket));
      });
    });
  }

  /** True once the server has let go. */
  get ended(): boolean {
    return this.#ended;
  }

  /** A handshake that must succeed. */
  async open(target: string, options?: HandshakeOptions): Promise<void> {
    this.write(handshakeText(target, options));
    const { status, body } = await this.response();
    assert.equal(status, 101, body);
  }

  /** Sends bytes as they are, in one packet. */
  write(bytes: string | Uint8Array): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Sends frames in one packet. */
  send(...frames: readonly WireFrame[]): void {
    this.write(Buffer.concat(frames.map(frameBytes)));
  }

  /** Sends values as text frames in one packet. */
  say(...values: readonly unknown[]): void {
    this.send(...values.map((value) => ({ payload: JSON.stringify(value) })));
  }

  /** Sends bytes in packets of so many, with so many milliseconds between them. */
  async drip(bytes: Uint8Array, size: number, every: number = 0): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#ended; at += size) {
      if (at > 0) await pause(every);
      this.write(bytes.subarray(at, at + size));
    }
  }

  /** Leaves without a word. */
  destroy(): void {
    this.socket.destroy();
  }

  /** Leaves with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** Reads a response, and its body as far as `content-length` says. */
  async response(): Promise<Response> {
    const at = await this.#until("a response", () => find(this.#bytes, "\r\n\r\n"));
    assert.ok(at !== undefined, "the connection ended before a response");
    const [first, ...lines] = this.#take(at + 4).toString("latin1").trimEnd().split("\r\n");
    const headers = new Map(lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const length = Number(headers.get("content-length") ?? 0);
    await this.#until("a body", () => this.#bytes.length >= length ? true : undefined);
    return { status: Number(first.split(" ")[1]), headers, body: this.#take(length).toString() };
  }

  /** What has come and was not read, as text. */
  text(): string {
    return this.#take(this.#bytes.length).toString("latin1");
  }

  /** The next frame of any kind; undefined where the connection has ended. */
  async next(patience: number = PATIENCE): Promise<ServerFrame | undefined> {
    const deadline = performance.now() + patience;
    for (;;) {
      const frame = await this.#frame(Math.max(0, deadline - performance.now()));
      if (frame === undefined || this.skim?.(frame) !== true) return frame;
    }
  }

  async #frame(patience: number): Promise<ServerFrame | undefined> {
    const decoded = await this.#until("a frame", () => decodeFrame(this.#bytes), patience);
    if (decoded === undefined) {
      assert.equal(this.#bytes.length, 0, "the connection ended within a frame");
      return undefined;
    }
    this.#take(decoded.end);
    const { frame } = decoded;
    const { length } = frame.payload;
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    assert.equal(
      decoded.end,
      head + length,
      "a server's frame has no mask and the shortest length",
    );
    return frame;
  }

  /** The next frame, which must be a text of JSON. */
  async hear(): Promise<unknown> {
    const frame = await this.next();
    assert.ok(frame, "the connection ended where a message was awaited");
    assert.equal(frame.opcode, opcodes.text, showFrame(frame));
    return JSON.parse(frame.payload.toString());
  }

  /** Reads to the end; a close frame is answered unless told otherwise. */
  async rest({ answer = true, patience = PATIENCE } = {}): Promise<Rest> {
    const frames: ServerFrame[] = [];
    const deadline = performance.now() + patience;
    for (;;) {
      const left = Math.max(0, deadline - performance.now());
      const frame = await this.next(left).catch((error) => {
        if (error instanceof Impatience) return null;
        throw error;
      });
      if (frame === undefined) return { frames, ended: true };
      if (frame === null) return { frames, ended: false };
      frames.push(frame);
      if (frame.opcode === opcodes.close && answer) {
        this.send({ opcode: opcodes.close, payload: frame.payload.subarray(0, 2) });
      }
    }
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  /** Waits until `look` finds something; undefined where the connection ends before. */
  async #until<T>(what: string, look: () => T | undefined, patience = PATIENCE) {
    const deadline = performance.now() + patience;
    for (;;) {
      const found = look();
      if (found !== undefined || this.#ended) return found;
      const left = deadline - performance.now();
      if (left <= 0) throw new Impatience(`timed out waiting for ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
  }
}

/** Time was up. */
class Impatience extends Error {}

/** A frame in one line: all that can be wrong with it, and its payload. */
export function showFrame({ opcode, fin, reserved, payload }: ServerFrame): string {
  const bits = `${fin ? "" : " unfinished"}${reserved === 0 ? "" : ` reserved ${reserved}`}`;
  switch (opcode) {
    case opcodes.text:
      return `text${bits} ${payload.toString()}`;
    case opcodes.pong:
      return `pong${bits} ${payload.toString("latin1")}`;
    case opcodes.close:
      return `close${bits} ${payload.length < 2 ? "" : payload.readUInt16BE()}`;
    default:
      return `opcode ${opcode}${bits} ${payload.toString("latin1")}`;
  }
}

function find(bytes: Buffer, text: string): number | undefined {
  const at = bytes.indexOf(text);
  return at < 0 ? undefined : at;
}
