/** Clients that write numbers until each of them is acked, whatever happens to the service meanwhile. */
import { pause } from "./downstream.ts";

/** How long a client waits for an answer before it connects again, in milliseconds. */
const PATIENCE = 15_000;
/** Between two attempts, in milliseconds. */
const PAUSE = 50;

/** A client that connects again whenever it has lost its connection, as a client library does. */
class NumberClient {
  readonly #url: string;
  #socket: WebSocket | undefined;
  #answered: ((code: unknown) => void) | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Sends a frame; gives the code of the error, undefined where it was acked. */
  async ask(type: string, data: object): Promise<unknown> {
    const socket = this.#socket ?? await this.#connect();
    if (socket === undefined) return "no connection";
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answered = resolve;
    const timer = setTimeout(() => {
      this.close();
      resolve("no answer");
    }, PATIENCE);
    socket.send(JSON.stringify({ type, data, id: 1 }));
    const code = await promise;
    clearTimeout(timer);
    return code;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #connect(): Promise<WebSocket | undefined> {
    const socket = new WebSocket(this.#url);
    return new Promise((resolve) => {
      const lost = () => {
        if (this.#socket === socket) this.#socket = undefined;
        resolve(undefined);
        this.#answered?.("connection lost");
      };
      socket.addEventListener("open", () => resolve(this.#socket = socket));
      socket.addEventListener("error", lost);
      socket.addEventListener("close", lost);
      socket.addEventListener("message", ({ data }) => {
        const { type, code } = JSON.parse(data);
        if (type === "ack") this.#answered?.(undefined);
        else if (type === "error") this.#answered?.(code ?? "error");
      });
    });
  }
}

/** Numbers on their way. */
export class Numbers {
  /** How many were acked so far. */
  acked = 0;
  /** How often one had to be sent again. */
  again = 0;
  /** Settles once all were acked. */
  readonly done: Promise<unknown>;
  readonly #total: number;
  #stopped = false;

  /** Sends 0 to `count - 1` for each operation, by so many clients. */
  constructor(url: string, operations: readonly string[], count: number, clients: number) {
    this.#total = count * operations.length;
    let next = 0;
    const work = async (): Promise<void> => {
      const client = new NumberClient(url);
      try {
        while (next < this.#total && !this.#stopped) {
          const place = next++;
          const operation = operations[place % operations.length];
          const n = Math.floor(place / operations.length);
          while (!this.#stopped && await client.ask(operation, { n }) !== undefined) {
            this.again++;
            await pause(PAUSE);
          }
          this.acked++;
        }
      } finally {
        client.close();
      }
    };
    this.done = Promise.all(Array.from({ length: clients }, work));
    // Whoever waits for it is told.
    this.done.catch(() => {});
  }

  /** Whether a part of them was acked, and not all. */
  isPast(part: number): boolean {
    return this.acked >= part * this.#total;
  }

  /** Sends no more, whatever is left. */
  stop(): void {
    this.#stopped = true;
  }
}
