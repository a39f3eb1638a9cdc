/**
 * An AMQP publisher down to the byte, for messages that the client library cannot write: the caller
 * encodes the header of a message.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** Properties by the bit that says that they are there; see AMQP 0-9-1, "basic". */
export const FLAGS = {
  contentType: 0x8000,
  headers: 0x2000,
  messageId: 0x0080,
  timestamp: 0x0040,
  type: 0x0020,
} as const;

/** A message: its properties in the order of their flags, encoded. */
export interface RawMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: readonly (readonly [name: keyof typeof FLAGS, bytes: Buffer])[];
  readonly body: Buffer;
}

const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const FRAME_MAX = 131_072;

/** A text of at most 255 bytes. */
export function short(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

/** Bytes behind their length. */
export function long(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** A table of values that are encoded, each behind the letter of its type. */
export function table(entries: Readonly<Record<string, Buffer>>): Buffer {
  return long(
    Buffer.concat(Object.entries(entries).flatMap(([name, value]) => [short(name), value])),
  );
}

/** A value of a table: `S` text, `x` bytes, `d` a double, `A` a list. */
export function value(type: string, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, "latin1"), bytes]);
}

/** A value of `levels` lists (`A`) or tables (`F`) in each other; an innermost one is empty. */
export function nestedTable(letter: string, levels: number): Buffer {
  const name = letter === "F" ? short("n") : Buffer.alloc(0);
  const each = name.length + 5;
  const parts = Array.from({ length: levels }, (_, level) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(each * (levels - level - 1));
    return Buffer.concat([level === 0 ? Buffer.alloc(0) : name, value(letter, length)]);
  });
  return Buffer.concat(parts);
}

/** Eight bytes: a number as a double. */
export function double(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(number);
  return bytes;
}

function frame(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

function method(channel: number, [group, id]: readonly number[], ...args: Buffer[]): Buffer {
  return frame(METHOD, channel, Buffer.concat([Buffer.from([0, group, 0, id]), ...args]));
}

/** A connection with one channel that confirms. */
export class RawPublisher {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    socket.on("close", () => this.#wake?.());
  }

  /** Connects as the guest of a broker on this machine. */
  static async connect(port: number): Promise<RawPublisher> {
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    const publisher = new RawPublisher(socket);
    socket.write(Buffer.from("AMQP\x00\x00\x09\x01", "latin1"));
    await publisher.#heard(10, 10);
    const login = [table({}), short("PLAIN"), long("\x00guest\x00guest"), short("en_US")];
    socket.write(method(0, [10, 11], ...login));
    await publisher.#heard(10, 30);
    const tuned = Buffer.alloc(8);
    tuned.writeUInt16BE(2047, 0);
    tuned.writeUInt32BE(FRAME_MAX, 2);
    socket.write(method(0, [10, 31], tuned));
    socket.write(method(0, [10, 40], short("/"), short(""), Buffer.from([0])));
    await publisher.#heard(10, 41);
    socket.write(method(1, [20, 10], short("")));
    await publisher.#heard(20, 11);
    socket.write(method(1, [85, 10], Buffer.from([0])));
    await publisher.#heard(85, 11);
    return publisher;
  }

  /** Publishes; resolves when the broker has confirmed it. */
  async publish({ exchange, routingKey, properties, body }: RawMessage): Promise<void> {
    const flags = properties.reduce((sum, [name]) => sum | FLAGS[name], 0);
    const head = Buffer.alloc(14);
    head.writeUInt16BE(60, 0);
    head.writeBigUInt64BE(BigInt(body.length), 4);
    head.writeUInt16BE(flags, 12);
    const frames = [
      method(
        1,
        [60, 40],
        Buffer.from([0, 0]),
        short(exchange),
        short(routingKey),
        Buffer.from([0]),
      ),
      frame(HEADER, 1, Buffer.concat([head, ...properties.map(([, bytes]) => bytes)])),
    ];
    for (let at = 0; at < body.length; at += FRAME_MAX - 8) {
      frames.push(frame(BODY, 1, body.subarray(at, at + FRAME_MAX - 8)));
    }
    this.#socket.write(Buffer.concat(frames));
    await this.#heard(60, 80);
  }

  /** Ends the connection. */
  close(): void {
    this.#socket.destroy();
  }

  /** Waits for a method; any other is a failure. */
  async #heard(group: number, id: number): Promise<void> {
    for (;;) {
      while (this.#bytes.length < 7 || this.#bytes.length < this.#bytes.readUInt32BE(3) + 8) {
        assert.ok(!this.#socket.destroyed, "the broker has closed the connection");
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
      const length = this.#bytes.readUInt32BE(3) + 8;
      const bytes = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      if (bytes[0] !== METHOD) continue;
      const found = [bytes.readUInt16BE(7), bytes.readUInt16BE(9)];
      assert.deepEqual(found, [group, id], bytes.toString("latin1"));
      return;
    }
  }
}
