/** A client of the service: one connection. It does not know Weir. */
import { connect, type Socket } from "node:net";

/** The longest time for a connection, in milliseconds. */
const LIMIT = 5_000;

/** Where the service listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a connection reports. */
export interface LinesEvents {
  /** A message of a topic. */
  message(topic: string, body: unknown): void;
  /** The connection has ended, and not by `close`. */
  lost(reason: string): void;
}

/** The service does not accept a request. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/** A request that waits for its answer. */
type Waiting = ReturnType<typeof Promise.withResolvers<void>>;

/** One connection. */
export class LinesClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #closed = false;
  #rest = "";

  private constructor(socket: Socket, events: LinesEvents) {
    this.#socket = socket;
    let reason = "the connection was lost";
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      const lines = (this.#rest + text).split("\n");
      this.#rest = lines.pop() ?? "";
      try {
        for (const line of lines) this.#line(line, events);
      } catch (cause) {
        socket.destroy(new Error("the service sent a line that is not JSON", { cause }));
      }
    });
    socket.on("error", (error) => void (reason = error.message)); // "close" follows.
    socket.on("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(reason));
      this.#waiting.clear();
      if (!this.#closed) events.lost(reason);
    });
  }

  /** Connects, or rejects with the reason. */
  static async connect({ host, port }: Address, events: LinesEvents): Promise<LinesClient> {
    const socket = connect({ host, port });
    // Without a limit, a host that does not answer would delay the start for minutes.
    socket.setTimeout(LIMIT, () => socket.destroy(new Error(`no answer within ${LIMIT} ms`)));
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.setTimeout(0);
    return new LinesClient(socket, events);
  }

  /** Sends a request. Resolves when the service has done it. */
  ask(request: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#socket.destroyed) return Promise.reject(new Error("the connection was lost"));
    const id = this.#nextId++;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(id, waiting);
    this.#socket.write(`${JSON.stringify({ id, ...request })}\n`);
    return waiting.promise;
  }

  /** Ends the connection. Requests without an answer fail. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #line(line: string, events: LinesEvents): void {
    const { id, error, topic, body } = JSON.parse(line);
    if (id === undefined) return events.message(topic, body);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(new RefusedError(error));
  }
}
