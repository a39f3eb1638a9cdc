/** A WebSocket client that sends any bytes, right or wrong, and shows every frame that comes back. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { connect, type Socket } from "node:net";
import {
  type ClientFrame,
  closeBody,
  decodeFrame,
  encodeFrame,
  opcodes,
  type ServerFrame,
} from "./socket-frames.ts";

/** An HTTP response. */
export interface Response {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** As far as `content-length` says. */
  readonly body: string;
}

/** A frame of the wire protocol, as it was read. */
export type Message = Readonly<Record<string, unknown>>;

/** How a connection ended; code 1006 where no close frame came. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** A handshake to be sent. Null leaves out a header that stands there by default. */
export interface HandshakeOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** What a client does that a test does not tell it. */
export interface ClientOptions {
  /** False: pings are not answered. */
  readonly answerPings?: boolean;
}

const KEY = "AQIDBAUGBwgJCgsMDQ4PEA==";
const ACCEPT = createHash("sha1").update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest("base64");
/** How long anything that must happen may take, in milliseconds. */
const PATIENCE = 10_000;
/** The longest time that a timer takes. */
const FOREVER = 2 ** 31 - 1;

/** The head of a handshake, a good one by default. */
export function handshakeText(target: string, options: HandshakeOptions = {}): string {
  const headers: Record<string, string | null> = {
    Host: "localhost",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    ...options.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`]
  );
  return `${options.method ?? "GET"} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** One TCP connection: first HTTP, then frames. */
export class SocketClient {
  readonly socket: Socket;
  /** How often the server has pinged. */
  pings = 0;
  readonly #answerPings: boolean;
  #bytes: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, { answerPings = true }: ClientOptions) {
    this.socket = socket;
    this.#answerPings = answerPings;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    // Where the server destroys the connection, this side may see a reset.
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
    socket.on("end", () => this.#end());
  }

  /** Connects to a port, of this machine by default. */
  static connect(
    port: number,
    { host = "127.0.0.1", ...options }: ClientOptions & { readonly host?: string } = {},
  ): Promise<SocketClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, host);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new SocketClient(socket, options));
      });
    });
  }

  /** Sends bytes as they are. */
  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends frames in one packet. */
  send(...frames: readonly ClientFrame[]): void {
    this.write(Buffer.concat(frames.map(encodeFrame)));
  }

  /** Sends values as text frames in one packet. */
  say(...values: readonly unknown[]): void {
    this.send(...values.map((value) => ({ payload: JSON.stringify(value) })));
  }

  /** Says something and gives the next message. */
  ask(value: unknown): Promise<Message> {
    this.say(value);
    return this.hear();
  }

  /** Starts the close handshake. */
  close(code = 1000, reason = ""): void {
    this.send({ opcode: opcodes.close, payload: closeBody(code, reason) });
  }

  /** Leaves without a word. */
  destroy(): void {
    this.socket.destroy();
    this.#end();
  }

  /** Reads a response. */
  async response(): Promise<Response> {
    const head = await this.head();
    const length = Number(head.headers.get("content-length") ?? 0);
    await this.#until("a body", (bytes) => bytes.length >= length ? length : undefined);
    return { ...head, body: this.#take(length).toString() };
  }

  /** Reads a response's head alone. */
  async head(): Promise<Omit<Response, "body">> {
    const end = await this.#until("a response", (bytes) => {
      const at = bytes.indexOf("\r\n\r\n");
      return at < 0 ? undefined : at + 4;
    });
    const [first, ...lines] = this.#take(end).toString("latin1").trimEnd().split("\r\n");
    const headers = new Map(lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }));
    return { status: Number(first.split(" ")[1]), headers };
  }

  /** Reads the response to a handshake that must succeed. */
  async upgraded(): Promise<Response> {
    const response = await this.response();
    assert.equal(response.status, 101, response.body);
    assert.equal(response.headers.get("sec-websocket-accept"), ACCEPT);
    assert.equal(response.headers.get("sec-websocket-extensions"), undefined);
    return response;
  }

  /** The next frame of any kind. */
  async frame(): Promise<ServerFrame> {
    const frame = await this.#next();
    assert.ok(frame, "the connection ended where a frame was awaited");
    return frame;
  }

  /** The next message. Pings on the way are counted, and answered unless told otherwise. */
  async hear(): Promise<Message> {
    const frame = await this.#beyondPings();
    assert.ok(frame, "the connection ended where a message was awaited");
    assert.equal(frame.opcode, opcodes.text, describe(frame));
    return JSON.parse(frame.payload.toString());
  }

  /** The next messages. */
  async hearMany(count: number): Promise<Message[]> {
    const messages: Message[] = [];
    while (messages.length < count) messages.push(await this.hear());
    return messages;
  }

  /** Nothing that the server has sent until now is unread: the next message answers this frame. */
  async hearsNothing(): Promise<void> {
    const id = crypto.randomUUID();
    assert.deepEqual(await this.ask({ type: "leave_room", room: id, id }), { type: "ack", id });
  }

  /** Reads to the end; gives the messages before it and how it came. Answers a close frame. */
  async finish(): Promise<{ readonly messages: readonly Message[]; readonly ending: Ending }> {
    const messages: Message[] = [];
    const ending = await this.each((message) => void messages.push(message), PATIENCE);
    return { messages, ending };
  }

  /** Calls `take` with each message until the end, which it answers. Waits for one without a limit. */
  async each(take: (message: Message) => void, patience: number = FOREVER): Promise<Ending> {
    for (;;) {
      const frame = await this.#beyondPings(patience);
      if (frame === undefined) return { code: 1006, reason: "" };
      if (frame.opcode === opcodes.text) take(JSON.parse(frame.payload.toString()));
      else if (frame.opcode === opcodes.close) {
        const { payload } = frame;
        if (!this.#ended) this.send({ opcode: opcodes.close, payload });
        const code = payload.length < 2 ? 1005 : payload.readUInt16BE();
        return { code, reason: payload.subarray(2).toString() };
      }
    }
  }

  /** How the connection ended, where nothing but the end is awaited. */
  async ending(): Promise<Ending> {
    const { messages, ending } = await this.finish();
    assert.deepEqual(messages, []);
    return ending;
  }

  async #beyondPings(patience?: number): Promise<ServerFrame | undefined> {
    for (;;) {
      const frame = await this.#next(patience);
      if (frame?.opcode !== opcodes.ping) return frame;
      this.pings++;
      if (this.#answerPings) this.send({ opcode: opcodes.pong, payload: frame.payload });
    }
  }

  async #next(patience?: number): Promise<ServerFrame | undefined> {
    const decoded = await this.#until("a frame", decodeFrame, () => undefined, patience);
    if (decoded === undefined) return undefined;
    this.#take(decoded.end);
    const { frame } = decoded;
    assert.ok(frame.fin && frame.reserved === 0 && !frame.masked, describe(frame));
    return frame;
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** Waits until what has come satisfies `look`. */
  async #until<T>(
    what: string,
    look: (bytes: Buffer) => T | undefined,
    atEnd: () => T | undefined = () =>
      assert.fail(`the connection ended where ${what} was awaited`),
    patience: number = PATIENCE,
  ): Promise<T> {
    const deadline = performance.now() + patience;
    for (;;) {
      const found = look(this.#bytes);
      if (found !== undefined) return found;
      if (this.#ended) return atEnd() as T;
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`timed out waiting for ${what}`);
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

function describe({ opcode, fin, reserved, masked, payload }: ServerFrame): string {
  const text = payload.toString("latin1").slice(0, 200);
  return `opcode ${opcode}, fin ${fin}, reserved ${reserved}, masked ${masked}: ${text}`;
}
