/** A connection for questions beside the stream, opened again where it is lost. */
import type { Client } from "pg";
import { TimeoutError } from "../../../../../base/errors.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import { connect, destroy, disconnect, isLost } from "../connecting.ts";
import type { Server } from "../server.ts";
import type { TypeCatalog } from "../types.ts";

/** Milliseconds in which the server must describe types. */
const LEARNING = 5000;

/** Asks one question after the other. */
export class Monitor {
  readonly #server: () => Promise<Server>;
  #client: Client | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** Connects with the first question. */
  constructor(server: () => Promise<Server>) {
    this.#server = server;
  }

  /**
   * Calls `work` with a connection, when those before have ended.
   *
   * @throws {unknown} What `work` throws, or why there is no connection.
   */
  use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => await work(await this.#open()));
    this.#last = result.catch(() => {});
    return result;
  }

  /**
   * Makes a catalog know some types.
   *
   * @throws {unknown} The server does not answer.
   */
  learn(types: TypeCatalog, oids: readonly number[]): Promise<void> {
    const missing = types.missing(oids);
    if (missing.length === 0) return Promise.resolve();
    return this.use((client) =>
      withTimeout(types.learn(client, missing), LEARNING, () => {
        destroy(client, "it does not answer");
        throw new TimeoutError("the server does not answer");
      })
    );
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    if (client !== undefined) await disconnect(client);
  }

  async #open(): Promise<Client> {
    if (this.#client !== undefined && !isLost(this.#client)) return this.#client;
    if (this.#closed) throw new Error("it is closed");
    const client = await connect(await this.#server(), { role: "changes" });
    if (this.#closed) {
      destroy(client, "it is closed");
      throw new Error("it is closed");
    }
    return this.#client = client;
  }
}
