/**
 * A pool of connections to a server, for every driver. The pools of the libraries cannot do three
 * things: open another connection for a statement when the first attempt fails, cancel the wait of a
 * flow that gives up, and destroy the connections in use when the server is gone.
 */
import { clearTimeout, setTimeout } from "node:timers";
import { retryDelay, type RetryDelays } from "../../../base/retry.ts";
import type { Cancellable } from "../../../contract/connector.ts";
import { CancelledError } from "../pending-write.ts";

/** What a pool has to know of a connection. */
export interface PooledConnection {
  /** Whether it can no longer be used. */
  readonly isLost: boolean;
  /** Whether somebody else can use it: nothing runs on it, and no transaction is open. */
  readonly isFree: boolean;
  /** Calls `hear` once, when it is lost; at once where it is lost already. */
  onLost(hear: () => void): void;
  /** Ends it at once. What runs on it fails, for this reason. */
  destroy(why: Error): void;
  /** Ends it while nothing runs on it, and tells the server. Has a deadline, and never rejects. */
  end(): Promise<void>;
}

/** How a pool opens connections, and how many. */
export interface PoolOptions<C> {
  /** The most connections. */
  readonly max: number;
  /** Milliseconds that a statement waits for one. */
  readonly acquireTimeout: number;
  /** Milliseconds after which one that is not used is closed. */
  readonly idleTimeout: number;
  /** Opens one. */
  open(): Promise<C>;
  /** Whether another attempt to open one is of no use. */
  isPermanent(error: unknown): boolean;
  /** In the words of an error. */
  describe(error: unknown): string;
}

/** A wait for a connection. Cancelled, it rejects with a `CancelledError`, unless it has one already. */
export type Acquiring<C> = Promise<C> & Cancellable<C>;

/** No connection was free, or none could be opened. */
export class NoConnectionError extends Error {
  override readonly name = "NoConnectionError";
}

/** The delays between attempts to open a connection. */
const OPENING: RetryDelays = { delay: 100, maxDelay: 1000, backoff: "exponential" };

/** Someone that waits for a connection. Settles once. */
interface Waiter<C> {
  lend(connection: C): void;
  fail(error: unknown): void;
}

interface Idle<C> {
  readonly connection: C;
  readonly since: number;
}

/** Keeps connections and lends them. */
export class ConnectionPool<C extends PooledConnection> {
  readonly #options: PoolOptions<C>;
  /** The one that was used last is used next, so that those that are too many grow old. */
  readonly #idle: Idle<C>[] = [];
  readonly #busy = new Map<C, number>();
  readonly #waiting = new Set<Waiter<C>>();
  #opening = 0;
  /** How many attempts have failed since the last one that did not. */
  #failures = 0;
  /** Of the last attempt; undefined where it did not fail. */
  #failure: unknown;
  #retry: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  /** Why it lends none now. */
  #suspended: Error | undefined;
  #closed = false;

  /** Opens none yet. */
  constructor(options: PoolOptions<C>) {
    this.#options = options;
  }

  /**
   * Lends a connection, which must be released. Returns no promise where one is idle.
   *
   * @throws {NoConnectionError} None was free or could be opened in time.
   * @throws {CancelledError} It was cancelled, or the pool is closed.
   */
  acquire(): C | Acquiring<C> {
    for (let found = this.#idle.pop(); found !== undefined; found = this.#idle.pop()) {
      if (found.connection.isLost) continue;
      return this.#lend(found.connection);
    }
    return this.#wait();
  }

  /** Takes a connection back. One that is lost is forgotten, one that is not free is destroyed. */
  release(connection: C): void {
    if (!this.#busy.delete(connection)) return;
    // Something would see what it has not begun.
    if (!connection.isFree) connection.destroy(new CancelledError("it was not free"));
    if (this.#closed) return void connection.end();
    if (connection.isLost) return this.#open();
    this.#offer(connection);
  }

  /** Whether one that is lent next has not to be given back by somebody else. */
  get hasRoom(): boolean {
    const used = this.#busy.size + this.#opening + this.#waiting.size;
    return this.#idle.length > 0 || used < this.#options.max;
  }

  /** How many connections are lent, and how many statements wait for one. */
  get usage(): { readonly busy: number; readonly waiting: number } {
    return { busy: this.#busy.size, waiting: this.#waiting.size };
  }

  /** The connections that have been lent for longer than that many milliseconds. */
  busyFor(milliseconds: number): readonly C[] {
    const now = performance.now();
    return [...this.#busy].filter(([, since]) => now - since > milliseconds)
      .map(([connection]) => connection);
  }

  /** Destroys the idle connections: it is not known whether the server still has them. */
  renew(why: Error): void {
    for (const { connection } of this.#idle.splice(0)) connection.destroy(why);
  }

  /** Lends none until `resume`, and destroys all: the server is away. */
  suspend(error: Error): void {
    this.#suspended = error;
    this.renew(error);
    this.destroyBusy(error);
    this.#failAll(error);
  }

  /** Lends again. */
  resume(): void {
    this.#suspended = undefined;
    this.#failures = 0;
  }

  /** Lends none any more, and closes those that are idle now or released later. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#sweep);
    clearTimeout(this.#retry);
    this.#failAll(new CancelledError("the database is closed"));
    const idle = this.#idle.splice(0);
    await Promise.all(idle.map(({ connection }) => connection.end()));
  }

  /** Destroys those that have not been released. */
  destroyBusy(why: Error): void {
    for (const connection of this.#busy.keys()) connection.destroy(why);
  }

  #lend(connection: C): C {
    this.#busy.set(connection, performance.now());
    return connection;
  }

  #offer(connection: C): void {
    for (const waiter of this.#waiting) return waiter.lend(this.#lend(connection));
    this.#idle.push({ connection, since: performance.now() });
    this.#sweep ??= this.#sweepAfter(this.#options.idleTimeout);
  }

  #wait(): Acquiring<C> {
    const { promise, resolve, reject } = Promise.withResolvers<C>();
    // At once, since a connection must not be lent to someone that has given up.
    const leave = () => {
      clearTimeout(timer);
      this.#waiting.delete(waiter);
    };
    const waiter: Waiter<C> = {
      lend(connection) {
        leave();
        resolve(connection);
      },
      fail(error) {
        leave();
        reject(error);
      },
    };
    const timer = setTimeout(() => waiter.fail(this.#lateError()), this.#options.acquireTimeout);
    if (this.#closed) waiter.fail(new CancelledError("the database is closed"));
    else if (this.#suspended !== undefined) waiter.fail(this.#suspended);
    else {
      this.#waiting.add(waiter);
      this.#open();
    }
    return Object.assign(promise, {
      cancel: () => waiter.fail(new CancelledError("was cancelled")),
    });
  }

  #lateError(): NoConnectionError {
    const { acquireTimeout } = this.#options;
    return new NoConnectionError(`no connection within ${acquireTimeout / 1000} s${this.#why()}`);
  }

  #why(): string {
    const { max, describe } = this.#options;
    if (this.#failure !== undefined) return `: ${describe(this.#failure)}`;
    if (this.#busy.size >= max) return `; all ${max} of its pool are in use`;
    return "; the server has not answered";
  }

  #failAll(error: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.fail(error);
  }

  /** Opens connections for those that wait. After a failure one attempt at a time is enough. */
  #open(): void {
    if (this.#closed || this.#suspended !== undefined || this.#retry !== undefined) return;
    const room = this.#options.max - this.#busy.size - this.#idle.length - this.#opening;
    const most = this.#failures > 0 ? 1 - this.#opening : room;
    const wanted = Math.min(room, most, this.#waiting.size - this.#opening);
    for (let count = 0; count < wanted; count++) this.#openOne();
  }

  #openOne(): void {
    this.#opening++;
    this.#options.open().then((connection) => {
      this.#opening--;
      this.#failures = 0;
      this.#failure = undefined;
      if (this.#closed) return void connection.end();
      connection.onLost(() => this.#forget(connection));
      this.#offer(connection);
      this.#open();
    }, (error) => {
      this.#opening--;
      this.#failures++;
      this.#failure = error;
      if (this.#closed) return;
      if (this.#options.isPermanent(error)) return this.#failAll(error);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#open();
      }, retryDelay(this.#failures, OPENING, Math.random()));
    });
  }

  /** One that is lent is forgotten when it is released. */
  #forget(connection: C): void {
    const position = this.#idle.findIndex((idle) => idle.connection === connection);
    if (position !== -1) this.#idle.splice(position, 1);
  }

  #sweepAfter(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const now = performance.now();
      const { idleTimeout } = this.#options;
      while (this.#idle.length > 0 && now - this.#idle[0].since >= idleTimeout) {
        const [{ connection }] = this.#idle.splice(0, 1);
        void connection.end();
      }
      this.#sweep = this.#idle.length === 0
        ? undefined
        : this.#sweepAfter(this.#idle[0].since + idleTimeout - now);
    }, milliseconds).unref();
  }
}
