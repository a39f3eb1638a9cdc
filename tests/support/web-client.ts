/** A client as a page in a browser would be one: `WebSocket`, `fetch`, and nothing else. */

/** How long anything that must happen may take, in milliseconds. */
const PATIENCE = 20_000;

/** A frame of the wire protocol. */
export type Frame = Readonly<Record<string, unknown>>;

/** One connection. */
export class WebClient {
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];
  #wake: () => void = () => {};
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", (event) => resolve(event.code));
    });
    socket.addEventListener("message", (event) => {
      this.#frames.push(JSON.parse(event.data));
      this.#wake();
    });
  }

  /** Connects to a URL. */
  static open(url: string): Promise<WebClient> {
    const socket = new WebSocket(url);
    const client = new WebClient(socket);
    return inTime(
      `${url} opens`,
      new Promise((resolve, reject) => {
        socket.addEventListener("open", () => resolve(client));
        socket.addEventListener("error", () => reject(new Error(`${url} cannot be opened`)));
      }),
    );
  }

  /** Sends a frame with an id; resolves with its answer, an ack or an error. */
  request(frame: Frame): Promise<Frame> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ ...frame, id }));
    return this.#take(`the answer to ${JSON.stringify(frame)}`, (found) => found.id === id);
  }

  /** The `data` of the next message. */
  async message(): Promise<unknown> {
    return (await this.#take("a message", ({ type }) => type === "message")).data;
  }

  /** The next frame of a type. */
  frame(type: string): Promise<Frame> {
    return this.#take(`a frame "${type}"`, (found) => found.type === type);
  }

  /** How many messages have arrived that nobody has taken. */
  get waiting(): number {
    return this.#frames.filter(({ type }) => type === "message").length;
  }

  /** Closes it. Without a code, it says that it does not come back. */
  close(code?: number): void {
    this.#socket.close(code);
  }

  #take(what: string, matches: (frame: Frame) => boolean): Promise<Frame> {
    const find = async (): Promise<Frame> => {
      for (;;) {
        const index = this.#frames.findIndex(matches);
        if (index >= 0) return this.#frames.splice(index, 1)[0];
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    return inTime(`${what} arrives`, find());
  }
}

/** Posts JSON. */
export function post(url: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

async function inTime<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out waiting for: ${what}`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
