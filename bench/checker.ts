/** The client that reads what the load only counts: every frame, byte for byte and in order. */
import { joinFrame, loadFrame } from "./load.ts";

const deadline = 10_000;

// Around the lengths where a frame's header changes, and characters of one to four bytes.
const probes: readonly string[] = [
  "",
  ...[60, 70, 80, 90, 126, 65_400, 65_536].map((length) => "x".repeat(length)),
  'é € 😀 \u2028 "quoted" \\ \n',
  "last",
];

/** One more member of the room, with a standard WebSocket. */
export class Checker implements AsyncDisposable {
  readonly #socket: WebSocket;
  #expected: (n: number) => string = () => "";
  #count = 0;
  #total = 0;
  #fault: string | undefined;
  #settled: PromiseWithResolvers<void> = Promise.withResolvers();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = (event) => this.#receive(event.data);
    socket.onclose = (event) => this.#fail(`the server closed it with ${event.code}`);
  }

  /**
   * Connects, joins the room and sends messages of many lengths through it, numbered, all at once.
   *
   * @throws Error when one is missing, late, out of order or differs.
   */
  static async connect(port: number): Promise<Checker> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    const checker = new Checker(socket);
    const opened = Promise.withResolvers<void>();
    socket.onopen = () => opened.resolve();
    socket.onerror = () => opened.reject(new Error(`the checker cannot connect to port ${port}`));
    await opened.promise;
    socket.send(joinFrame);
    const data = probes.map((text, probe) => ({ probe, text }));
    checker.expect(
      data.length,
      (n) => JSON.stringify({ type: "message", data: data[n], room: "r" }),
    );
    for (const each of data) socket.send(JSON.stringify({ type: "message", data: each }));
    try {
      await checker.done();
    } catch (error) {
      await checker[Symbol.asyncDispose]();
      throw error;
    }
    return checker;
  }

  /** From now on, `total` frames must come: `frame(0)`, `frame(1)` and so on; the load's without `frame`. */
  expect(total: number, frame: (n: number) => string = loadFrame): void {
    this.#expected = frame;
    this.#count = 0;
    this.#total = total;
    this.#settled = Promise.withResolvers();
  }

  /**
   * Waits until all that was expected has come.
   *
   * @throws Error that says what was wrong first since the start, at the latest after 10 seconds.
   */
  async done(): Promise<void> {
    const late = setTimeout(
      () => this.#fail(`only ${this.#count} of ${this.#total} frames came`),
      deadline,
    );
    if (this.#fault === undefined) await this.#settled.promise;
    clearTimeout(late);
    if (this.#fault !== undefined) throw new Error(`the checker: ${this.#fault}`);
  }

  #receive(data: unknown): void {
    const expected = this.#count < this.#total ? this.#expected(this.#count) : undefined;
    if (data !== expected) {
      this.#fail(`frame ${this.#count} is ${shorten(data)} instead of ${shorten(expected)}`);
    } else if (++this.#count === this.#total) {
      this.#settled.resolve();
    }
  }

  #fail(reason: string): void {
    this.#fault ??= reason;
    this.#settled.resolve();
  }

  /** Closes the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.close();
    await closed;
  }
}

function shorten(data: unknown): string {
  const text = String(data);
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length})` : text;
}
