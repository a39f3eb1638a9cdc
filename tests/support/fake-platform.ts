/** What the client library runs on in a test: sockets without a network, and a clock that stands still. */
import assert from "node:assert/strict";
import type { Platform, Socket, Surrounding } from "../../src/client/platform.ts";
import { ManualClock, settle } from "./clock.ts";

/** A frame of the client. */
export type Sent = Readonly<Record<string, unknown>>;

/** The end of the server of a connection that the client has opened. */
export class FakeSocket implements Socket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly url: string;
  readonly protocols: readonly string[];
  /** When the client opened it. */
  readonly at: number;
  /** What the client has sent and no test has taken. */
  readonly sent: Sent[] = [];
  /** The code with which the client has closed it. */
  closedWith: number | undefined;

  /** Pings get their pong at once, and no test sees them. */
  answersPings = false;

  constructor(url: string, protocols: readonly string[], at: number) {
    this.url = url;
    this.protocols = protocols;
    this.at = at;
  }

  send(text: string): void {
    assert.equal(this.closedWith, undefined, "sent after the close");
    const frame = JSON.parse(text) as Sent;
    if (this.answersPings && frame.type === "ping") {
      queueMicrotask(() => this.receive({ type: "pong" }));
    } else this.sent.push(frame);
  }

  close(code?: number): void {
    this.closedWith = code;
  }

  /** Takes what the client has sent. */
  take(): Sent[] {
    return this.sent.splice(0);
  }

  /** The handshake has succeeded: the client asks for a sign of life. */
  open(): void {
    (this.onopen as (() => void) | null)?.();
  }

  /** The server lets the client in. */
  accept(): void {
    this.open();
    assert.deepEqual(this.take(), [{ type: "ping" }]);
    this.receive({ type: "pong" });
  }

  /** A frame of the server; a text as it is. */
  receive(...frames: unknown[]): void {
    for (const frame of frames) {
      const data = typeof frame === "string" ? frame : JSON.stringify(frame);
      this.receiveRaw(data);
    }
  }

  /** What no server of Weir sends. */
  receiveRaw(data: unknown): void {
    (this.onmessage as ((event: { data: unknown }) => void) | null)?.({ data });
  }

  /** The connection ends. */
  end(code = 1006, reason = ""): void {
    (this.onclose as ((event: { code: number; reason: string }) => void) | null)?.({
      code,
      reason,
    });
  }
}

/** The platform of one test. */
export class FakePlatform implements Platform {
  readonly clock: ManualClock = new ManualClock();
  readonly sockets: FakeSocket[] = [];
  /** What `random` returns. */
  luck = 0.5;
  /** What `open` throws next. */
  refuse: Error | undefined;
  #tell: ((what: Surrounding) => void) | undefined;

  open(url: string, protocols: string[]): Socket {
    const { refuse } = this;
    this.refuse = undefined;
    if (refuse !== undefined) throw refuse;
    const socket = new FakeSocket(url, protocols, this.clock.now());
    this.sockets.push(socket);
    return socket;
  }

  after = (milliseconds: number, task: () => void): () => void =>
    this.clock.after(milliseconds, task);
  now = (): number => this.clock.now();
  random = (): number => this.luck;

  listen(tell: (what: Surrounding) => void): () => void {
    this.#tell = tell;
    return () => this.#tell = undefined;
  }

  /** Something happens around the page. */
  async happens(what: Surrounding): Promise<void> {
    this.#tell?.(what);
    await settle();
  }

  /** Whether the client still listens to that. */
  get listening(): boolean {
    return this.#tell !== undefined;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    assert.ok(socket !== undefined, "no connection");
    return socket;
  }

  /** Waits for the next attempt to connect, and lets the client in. */
  async accept(): Promise<FakeSocket> {
    const before = this.sockets.length;
    for (let step = 0; this.sockets.length === before && step < 100; step++) {
      await this.clock.advance(1000);
    }
    assert.ok(this.sockets.length > before, "no attempt");
    this.socket.accept();
    await settle();
    return this.socket;
  }
}
