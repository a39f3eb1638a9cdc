/** The connections of a database on a server: those that are lent, and one more for its catalog. */
import type { DatabaseOptions } from "../options.ts";
import { CancelledError } from "../pending-write.ts";
import {
  type Acquiring,
  ConnectionPool,
  type PooledConnection,
  type PoolOptions,
} from "./connection-pool.ts";

/** How connections are opened. */
export type Opening<C> = Pick<PoolOptions<C>, "open" | "isPermanent" | "describe">;

/** Lends connections. */
export class ServerConnections<C extends PooledConnection> {
  /** The most that are lent at the same time. */
  readonly max: number;
  readonly #pool: ConnectionPool<C>;
  /** One more, for looks at the catalog while all others are in use. */
  readonly #spare: ConnectionPool<C>;

  /** Opens none yet. By default there are 10, each closed after a minute; who waits waits 10 s. */
  constructor(limits: DatabaseOptions["pool"], opening: Opening<C>) {
    const { max = 10, acquire_timeout = 10_000, idle_timeout = 60_000 } = limits ?? {};
    const options = { ...opening, acquireTimeout: acquire_timeout, idleTimeout: idle_timeout };
    this.max = max;
    this.#pool = new ConnectionPool({ ...options, max });
    this.#spare = new ConnectionPool({ ...options, max: 1 });
  }

  /** Lends one, as {@link ConnectionPool.acquire} does. */
  acquire(): C | Acquiring<C> {
    return this.#pool.acquire();
  }

  /** Takes it back. */
  release(connection: C): void {
    this.#pool.release(connection);
  }

  /**
   * Lends one for a look at the catalog. Transactions that need such a look may have all connections
   * of the pool, and would wait for one another.
   */
  async look<T>(work: (connection: C) => Promise<T>): Promise<T> {
    const pool = this.#pool.hasRoom ? this.#pool : this.#spare;
    const connection = await pool.acquire();
    try {
      return await work(connection);
    } finally {
      pool.release(connection);
    }
  }

  /** Numbers for metrics: those that are lent, statements that wait for one, and the most. */
  get numbers(): Readonly<Record<"pool_busy" | "pool_waiting" | "pool_max", number>> {
    const { busy, waiting } = this.#pool.usage;
    return { pool_busy: busy, pool_waiting: waiting, pool_max: this.max };
  }

  /** The server is away: destroys all, and lends none until `resume`. */
  suspend(error: Error): void {
    for (const pool of this.#all) pool.suspend(error);
  }

  /** The server is there again. */
  resume(): void {
    for (const pool of this.#all) pool.resume();
  }

  /** Destroys those that are not used. */
  renew(why: Error): void {
    for (const pool of this.#all) pool.renew(why);
  }

  /** Those that have been lent for longer than that many milliseconds. */
  busyFor(milliseconds: number): readonly C[] {
    return this.#all.flatMap((pool) => pool.busyFor(milliseconds));
  }

  /** Closes those that are not used, and destroys the others. */
  async close(): Promise<void> {
    for (const pool of this.#all) pool.destroyBusy(new CancelledError("the database is closed"));
    await Promise.all(this.#all.map((pool) => pool.close()));
  }

  get #all(): readonly ConnectionPool<C>[] {
    return [this.#pool, this.#spare];
  }
}
