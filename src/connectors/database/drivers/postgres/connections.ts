/** The connections of a database, whatever they are used for. */
import type { Client } from "pg";
import type { DatabaseOptions } from "../../options.ts";
import type { NoConnectionError, PooledConnection } from "../connection-pool.ts";
import { ServerConnections } from "../server-connections.ts";
import { StatementConnection } from "./batch.ts";
import { cancelRunning } from "./cancelling.ts";
import { connect, destroy, disconnect, isLost, onLost } from "./connecting.ts";
import { DestroyedError, explainOpening } from "./errors.ts";
import type { HeartbeatListener } from "./heartbeat.ts";
import type { Server } from "./server.ts";
import { TypeCatalog } from "./types.ts";

/** A connection with its statements. */
export class Connection implements PooledConnection {
  readonly client: Client;
  readonly statements: StatementConnection;

  /** `client` is connected. */
  constructor(client: Client, statements: StatementConnection) {
    this.client = client;
    this.statements = statements;
  }

  get isLost(): boolean {
    return isLost(this.client);
  }

  get isFree(): boolean {
    return this.client.getTransactionStatus() === "I";
  }

  onLost(hear: () => void): void {
    onLost(this.client, hear);
  }

  destroy({ message }: Error): void {
    destroy(this.client, message);
  }

  end(): Promise<void> {
    return disconnect(this.client);
  }
}

/** Lends connections, and does with them what the heartbeat has found out. */
export class Connections implements HeartbeatListener {
  readonly #connections: ServerConnections<Connection>;

  /** Opens none yet. */
  constructor(server: Server, limits?: DatabaseOptions["pool"]) {
    const types = new TypeCatalog();
    this.#connections = new ServerConnections(limits, {
      async open() {
        const client = await connect(server);
        const cancel = () => cancelRunning(server, client);
        return new Connection(client, new StatementConnection(client, types, cancel));
      },
      isPermanent: (error) => explainOpening(server, error).permanent,
      describe: (error) => explainOpening(server, error).reason,
    });
  }

  /** Numbers for metrics. */
  get numbers(): ServerConnections<Connection>["numbers"] {
    return this.#connections.numbers;
  }

  /** The most that are lent at the same time. */
  get max(): number {
    return this.#connections.max;
  }

  /**
   * Lends one, which must be released. Returns no promise where one is idle.
   *
   * @throws {NoConnectionError} None was free or could be opened in time.
   * @throws {CancelledError} The signal was aborted.
   */
  acquire(signal?: AbortSignal): Connection | Promise<Connection> {
    const found = this.#connections.acquire();
    if (!(found instanceof Promise) || signal === undefined) return found;
    const cancel = () => found.cancel();
    signal.addEventListener("abort", cancel);
    if (signal.aborted) cancel();
    return found.finally(() => signal.removeEventListener("abort", cancel));
  }

  /** Takes it back. */
  release(connection: Connection): void {
    this.#connections.release(connection);
  }

  /** Lends one for a look at the catalog. */
  look<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return this.#connections.look(({ client }) => work(client));
  }

  lost(error: NoConnectionError): void {
    this.#connections.suspend(error);
  }

  found(): void {
    this.#connections.resume();
  }

  suspect(): void {
    this.#connections.renew(new DestroyedError("another connection to the server was dead"));
  }

  waiting(milliseconds: number): readonly Client[] {
    return this.#connections.busyFor(milliseconds).map(({ client }) => client);
  }

  /** Closes those that are not used, and destroys the others. */
  close(): Promise<void> {
    return this.#connections.close();
  }
}
