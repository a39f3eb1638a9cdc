/** A client of server-sent events that shows every event and comment as it came. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { Message } from "./socket-client.ts";

/** A request for a stream. Null leaves out a header that is there by default. */
export interface StreamOptions {
  readonly method?: string;
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** One event: its fields, as far as it has them. */
export interface StreamEvent {
  readonly event?: string;
  readonly id?: string;
  readonly retry?: string;
  /** Each `data` line. */
  readonly data: readonly string[];
}

/** How a stream ended: what its last event says, or code 1006 without one. */
export interface StreamEnding {
  readonly code: number;
  readonly reason: string;
  readonly id?: string | undefined;
  readonly retry?: string | undefined;
}

/** How long anything that must happen may take, in milliseconds. */
const PATIENCE = 10_000;

/** The text of a request. */
export function requestText(target: string, options: StreamOptions = {}): string {
  const { method = "GET", version = "1.1" } = options;
  const headers = { Host: "localhost", Accept: "text/event-stream", ...options.headers };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`]
  );
  return `${method} ${target} HTTP/${version}\r\n${lines.join("")}\r\n`;
}

/** One connection: a request and its response. */
export class StreamClient {
  readonly socket: Socket;
  /** How many comments have come. */
  comments = 0;
  status = 0;
  /** Names in lower case. */
  headers: ReadonlyMap<string, string> = new Map();
  #bytes: Buffer = Buffer.alloc(0);
  #body = "";
  #isChunked = false;
  #isComplete = false;
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    // Where the server destroys the connection, this side may see a reset.
    socket.on("error", () => {});
    for (const end of ["close", "end"]) {
      socket.on(end, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  /** Sends a request on a connection of its own. */
  static async send(
    port: number,
    target: string,
    options?: StreamOptions,
  ): Promise<StreamClient> {
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.once("connect", resolve);
    });
    const client = new StreamClient(socket);
    socket.write(requestText(target, options));
    return client;
  }

  /** Reads the head of the response. */
  async head(): Promise<this> {
    const end = await this.#until("a response", () => {
      const at = this.#bytes.indexOf("\r\n\r\n");
      return at < 0 ? undefined : at + 4;
    });
    const [first, ...lines] = this.#take(end).toString("latin1").trimEnd().split("\r\n");
    this.status = Number(first.split(" ")[1]);
    this.headers = new Map(lines.map((line) => {
      const at = line.indexOf(":");
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
    }));
    this.#isChunked = this.headers.get("transfer-encoding") === "chunked";
    return this;
  }

  /** Reads the body of a response that has a length. */
  async body(): Promise<string> {
    const length = Number(this.headers.get("content-length") ?? 0);
    await this.#until("a body", () => this.#bytes.length >= length || undefined);
    return this.#take(length).toString();
  }

  /** The next event; undefined at the end of the stream. */
  async event(patience?: number): Promise<StreamEvent | undefined> {
    for (;;) {
      const block = await this.#until("an event", () => this.#block(), () => null, patience);
      if (block === null) return undefined;
      const lines = block.split("\n");
      if (lines.every((line) => line.startsWith(":"))) {
        this.comments++;
        continue;
      }
      const fields = lines.map((line): [string, string] => {
        const at = line.indexOf(": ");
        assert.ok(at > 0, `a field has a name: ${JSON.stringify(block)}`);
        return [line.slice(0, at), line.slice(at + 2)];
      });
      const data = fields.flatMap(([name, value]) => name === "data" ? [value] : []);
      return { ...Object.fromEntries(fields.filter(([name]) => name !== "data")), data };
    }
  }

  /** The next message. It is one line of JSON, and its event has no name. */
  async hear(): Promise<Message> {
    const event = await this.event();
    assert.ok(event, "the stream ended where a message was awaited");
    assert.equal(event.event, undefined);
    assert.equal(event.data.length, 1);
    return JSON.parse(event.data[0]);
  }

  /** The next messages. */
  async hearMany(count: number): Promise<Message[]> {
    const messages: Message[] = [];
    while (messages.length < count) messages.push(await this.hear());
    return messages;
  }

  /** Waits until so many comments have come, with no event on the way. */
  async heartbeats(count: number): Promise<void> {
    const unexpected = () => {
      const block = this.#block();
      if (block === undefined) return this.comments >= count || undefined;
      assert.match(block, /^:/);
      this.comments++;
      return this.comments >= count || undefined;
    };
    await this.#until(`${count} comments`, unexpected);
  }

  /** Reads to the end: the messages, and how it came. */
  async finish(): Promise<
    { readonly messages: readonly Message[]; readonly ending: StreamEnding }
  > {
    const messages: Message[] = [];
    let ending: StreamEnding = { code: 1006, reason: "" };
    for (;;) {
      const event = await this.event();
      if (event === undefined) return { messages, ending };
      const value = JSON.parse(event.data.join("\n"));
      if (event.event === undefined) messages.push(value);
      else {
        assert.equal(event.event, "close");
        ending = { ...value, id: event.id, retry: event.retry };
      }
    }
  }

  /** How the stream ended, where nothing but the end is awaited. */
  async ending(): Promise<StreamEnding> {
    const { messages, ending } = await this.finish();
    assert.deepEqual(messages, []);
    return ending;
  }

  /** Leaves. */
  destroy(): void {
    this.socket.destroy();
    this.#ended = true;
    this.#wake?.();
  }

  /** The next block of lines, as far as it has come. */
  #block(): string | undefined {
    this.#readBody();
    const at = this.#body.indexOf("\n\n");
    if (at < 0) return undefined;
    const block = this.#body.slice(0, at);
    this.#body = this.#body.slice(at + 2);
    return block;
  }

  #readBody(): void {
    if (!this.#isChunked) {
      if (this.#bytes.length > 0) this.#append(this.#take(this.#bytes.length));
      return;
    }
    while (!this.#isComplete) {
      const at = this.#bytes.indexOf("\r\n");
      if (at < 0) return;
      const size = Number.parseInt(this.#bytes.toString("latin1", 0, at), 16);
      if (this.#bytes.length < at + size + 4) return;
      this.#append(this.#take(at + size + 4).subarray(at + 2, at + 2 + size));
      if (size === 0) {
        this.#isComplete = true;
        this.#ended = true;
      }
    }
  }

  #append(bytes: Buffer): void {
    this.#body += this.#decoder.decode(bytes, { stream: true });
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  /** Waits until what has come satisfies `look`. */
  async #until<T>(
    what: string,
    look: () => T | undefined,
    atEnd: () => T = () => assert.fail(`the connection ended where ${what} was awaited`),
    patience: number = PATIENCE,
  ): Promise<T> {
    const deadline = performance.now() + patience;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (this.#ended) return atEnd();
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
