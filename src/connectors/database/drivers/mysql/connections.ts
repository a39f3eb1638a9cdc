/** All connections of a database: those that statements share, and the one that watches the server. */
import { clearTimeout, setTimeout } from "node:timers";
import type { Logger } from "../../../../contract/connector.ts";
import type { Row } from "../../driver.ts";
import type { DatabaseOptions } from "../../options.ts";
import { type Opening, ServerConnections } from "../server-connections.ts";
import type { Cancellation } from "./cancellation.ts";
import type { Connection, Reply } from "./connection.ts";
import { Control } from "./control.ts";

/** Milliseconds that the server has to answer a statement that it was told to end. */
const ANSWERING = 2000;

/** The connections of a database. */
export class Connections {
  readonly #connections: ServerConnections<Connection>;
  readonly #control: Control;

  /** `first` is open, and becomes the one that watches the server, which `server` is the name of. */
  constructor(
    server: string,
    first: Connection,
    opening: Opening<Connection>,
    limits: DatabaseOptions["pool"],
    logger: Logger,
  ) {
    const open = async () => {
      const connection = await opening.open();
      connection.onLate = () => void this.#control.kill(connection.id);
      return connection;
    };
    this.#connections = new ServerConnections(limits, { ...opening, open });
    this.#control = new Control(server, first, () => opening.open(), logger, {
      lost: (reason) => this.#connections.suspend(reason),
      found: () => this.#connections.resume(),
    });
  }

  /** Numbers for metrics. */
  get numbers(): Readonly<Record<string, number>> {
    return { ...this.#connections.numbers, reconnects: this.#control.reconnects };
  }

  /** The most that statements have at the same time. */
  get max(): number {
    return this.#connections.max;
  }

  /** Why the server cannot be used at the moment; undefined when it can. */
  get problem(): string | undefined {
    return this.#control.problem;
  }

  /**
   * Runs `work` on a connection. Where it is cancelled, the server is told to end what runs on it, and
   * the connection is lost.
   *
   * @throws {Error} `work` failed, or there was no connection.
   */
  async use<T>(
    cancellation: Cancellation,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#acquire(cancellation);
    cancellation.act = (reason) => {
      // By its number, which the server knows also when the connection is gone.
      void this.#control.kill(connection.id);
      connection.destroy(reason);
    };
    try {
      return await work(connection);
    } finally {
      cancellation.act = undefined;
      this.#connections.release(connection);
    }
  }

  /**
   * The same for writes that others wait for as well: what became of them the server's answer says, for
   * which there are two seconds.
   */
  async useUntilAnswered<T>(
    cancellation: Cancellation,
    work: (connection: Connection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.#acquire(cancellation);
    let late: NodeJS.Timeout | undefined;
    cancellation.act = (reason) => {
      connection.interrupted = true;
      void this.#control.kill(connection.id);
      late = setTimeout(() => connection.destroy(reason), ANSWERING);
    };
    try {
      return await work(connection);
    } finally {
      cancellation.act = undefined;
      clearTimeout(late);
      this.#connections.release(connection);
    }
  }

  /** Reads rows of the catalog. */
  read(sql: string): Promise<readonly Row[]> {
    return this.#connections.look(async (connection) => rowsOf(await connection.run(sql)));
  }

  /** Returns no promise where one is idle. */
  #acquire(cancellation: Cancellation): Connection | Promise<Connection> {
    if (cancellation.reason !== undefined) throw cancellation.reason;
    const found = this.#connections.acquire();
    if (found instanceof Promise) cancellation.act = () => found.cancel();
    return found;
  }

  /** Ends those that are not used, and destroys the others; what they run fails. */
  async close(): Promise<void> {
    this.#control.close();
    await this.#connections.close();
  }
}

/** The rows of a reply; none where it has none. */
export function rowsOf(reply: Reply): readonly Row[] {
  return "affectedRows" in reply ? [] : reply;
}
