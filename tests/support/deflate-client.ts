/** A WebSocket client that compresses by itself and shows which frames came compressed. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { FrameClient, showFrame } from "../faults/client.ts";
import { handshakeText, type Message } from "./socket-client.ts";
import { closeBody, opcodes, type ServerFrame } from "./socket-frames.ts";

/** The reserved bits of a frame whose message is compressed. */
export const COMPRESSED = 4;

const FLUSH = { finishFlush: constants.Z_SYNC_FLUSH };
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

/** The payload of a message that is compressed. */
export function deflated(text: string | Uint8Array): Buffer {
  return deflateRawSync(text, FLUSH).subarray(0, -TAIL.length);
}

/** A message, and how it came. */
export interface Heard {
  readonly message: Message;
  readonly compressed: boolean;
  /** Bytes of its payload on the wire. */
  readonly size: number;
}

/** One connection. It keeps no context from message to message, and none is kept for it. */
export class DeflateClient {
  /** Sends and shows frames as they are. */
  readonly frames: FrameClient;
  /** What the server has agreed to; undefined where it agreed to nothing. */
  readonly extensions: string | undefined;

  private constructor(frames: FrameClient, extensions: string | undefined) {
    this.frames = frames;
    this.extensions = extensions;
  }

  /** Connects with an offer in `Sec-WebSocket-Extensions`; null for none. */
  static async connect(
    port: number,
    target: string,
    offer: string | null = "permessage-deflate; client_max_window_bits",
  ): Promise<DeflateClient> {
    const frames = await FrameClient.connect(port);
    frames.write(handshakeText(target, { headers: { "Sec-WebSocket-Extensions": offer } }));
    const { status, headers, body } = await frames.response();
    assert.equal(status, 101, body);
    return new DeflateClient(frames, headers.get("sec-websocket-extensions"));
  }

  /** Sends a value, compressed where that was agreed to. */
  say(value: unknown): void {
    const text = JSON.stringify(value);
    this.frames.send(
      this.extensions === undefined
        ? { payload: text }
        : { payload: deflated(text), reserved: COMPRESSED },
    );
  }

  /** The next message. */
  async hear(): Promise<Heard> {
    for (;;) {
      const frame = await this.frames.next();
      assert.ok(frame, "the connection ended where a message was awaited");
      if (frame.opcode !== opcodes.ping) return read(frame);
      this.frames.send({ opcode: opcodes.pong, payload: frame.payload });
    }
  }

  /** Says something and gives the next message. */
  async ask(value: unknown): Promise<Message> {
    this.say(value);
    return (await this.hear()).message;
  }

  /** Reads to the end: the messages before it, and the close code; 1006 where there was none. */
  async finish(): Promise<{ readonly heard: readonly Heard[]; readonly code: number }> {
    const { frames, ended } = await this.frames.rest();
    assert.ok(ended, "the connection did not end");
    const close = frames.find(({ opcode }) => opcode === opcodes.close);
    const texts = frames.filter(({ opcode }) => opcode === opcodes.text);
    return { heard: texts.map(read), code: close?.payload.readUInt16BE() ?? 1006 };
  }

  /** Leaves with the close handshake. */
  async leave(): Promise<void> {
    this.frames.send({ opcode: opcodes.close, payload: closeBody(1000) });
    await this.frames.gone;
  }
}

function read(frame: ServerFrame): Heard {
  const { opcode, reserved, payload } = frame;
  assert.ok(
    opcode === opcodes.text && (reserved === 0 || reserved === COMPRESSED),
    showFrame(frame),
  );
  const compressed = reserved === COMPRESSED;
  const text = compressed ? inflateRawSync(Buffer.concat([payload, TAIL]), FLUSH) : payload;
  return { message: JSON.parse(text.toString()), compressed, size: payload.length };
}
