/** One connection to a server: opened with a deadline, set up, and destroyed where it is late. */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type mysql from "mysql2";
import { withTimeout } from "../../../../base/timeout.ts";
import type { PooledConnection } from "../connection-pool.ts";
import { ClosedError, DeadlineError, LostConnectionError, RefusedError } from "./errors.ts";
import { type ConnectionKind, greet, type Server, setUpSession } from "./greeting.ts";
import { type Field, prepareFields, type RawRow, toRows } from "./results.ts";
import type { Row } from "../../driver.ts";
import type { ConnectionSettings } from "./settings.ts";

/** How many milliseconds a connection may take to open, the session's setup included. */
export const CONNECT_TIMEOUT = 5000;

/** How many milliseconds a server may take to end a statement by its own limit. */
const MARGIN = 100;
/** How many milliseconds it may take to end one that it is told to end. */
const GRACE = 2000;
/** How many milliseconds it may take to end a connection. */
const ENDING = 1000;

/** `SERVER_STATUS_IN_TRANS`: a transaction is open. */
const IN_TRANSACTION = 1;

/** What the server says of a statement without rows. */
export interface Done {
  readonly affectedRows: number | string;
  readonly insertId: number | string;
}

/** The answer to a statement: its rows, or what it did. */
export type Reply = readonly Row[] | Done;

/** What became of a script: a failure ends it. */
export interface ScriptOutcome {
  /** Of each result that is complete, whether it has rows. A procedure may have several. */
  readonly results: readonly boolean[];
  /** Why the statement after them failed; undefined where none did. */
  readonly error: unknown;
}

/** A connection. It runs one statement at a time; others wait. */
export class Connection implements PooledConnection {
  /** Its number at the server, which `KILL` takes. */
  readonly id: number;
  readonly server: Server;
  /** Called where a statement runs for longer than it may; it is to be ended at the server. */
  onLate: (() => void) | undefined;
  /** Whether the server was told to end a statement: that may hit one that comes later. */
  interrupted = false;
  readonly #client: mysql.Connection;
  readonly #socket: Socket;
  /** Milliseconds that a statement may take; undefined without a limit. */
  readonly #limit: number | undefined;
  /** What rejects the statements that run or wait, for when the connection ends. */
  readonly #running = new Set<(error: Error) => void>();
  readonly #listeners: (() => void)[] = [];
  #ended: Error | undefined;
  #inTransaction = false;

  private constructor(
    client: mysql.Connection,
    socket: Socket,
    server: Server,
    limit: number | undefined,
  ) {
    this.#client = client;
    this.#socket = socket;
    this.server = server;
    this.#limit = limit;
    this.id = client.threadId;
    client.on("error", (error) => this.#end(new LostConnectionError(error)));
    client.on("end", () => this.#end(new LostConnectionError("the server has closed it")));
    socket.on("close", () => this.#end(new LostConnectionError("it was closed")));
  }

  /**
   * Opens a connection and sets its session up.
   *
   * @throws {Error} What the library or the server says, or that it took too long.
   */
  static async open(settings: ConnectionSettings, kind: ConnectionKind = {}): Promise<Connection> {
    const { host, port } = settings;
    const socket = connect({ host, port, noDelay: true, keepAlive: true });
    // The library's own handler comes later than an error of a host that is an address.
    socket.on("error", () => {});
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new DeadlineError(`no connection to ${host}:${port} within 5 s`));
      socket.destroy();
    }, CONNECT_TIMEOUT);
    late.promise.catch(() => {});
    try {
      const client = await Promise.race([greet(settings, kind, socket), late.promise]);
      const setUp = setUpSession(client, settings);
      setUp.catch(() => {});
      const server = await Promise.race([setUp, late.promise]);
      return new Connection(client, socket, server, settings.statementTimeout);
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whether it is lost or destroyed. */
  get isLost(): boolean {
    return this.#ended !== undefined;
  }

  /** Why it is lost or destroyed; undefined as long as it is not. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** Whether nothing runs on it, and no transaction is open as far as the server has said. */
  get isFree(): boolean {
    return this.#running.size === 0 && !this.#inTransaction && !this.interrupted;
  }

  /** Whether a transaction was open after the latest statement without rows. */
  get inTransaction(): boolean {
    return this.#inTransaction;
  }

  onLost(hear: () => void): void {
    if (this.isLost) hear();
    else this.#listeners.push(hear);
  }

  /**
   * Runs a statement.
   *
   * @throws {LostConnectionError} The connection was lost or destroyed: nobody knows what happened.
   * @throws {Error} The server refuses it, as `errno` and `sqlState` say.
   */
  async run(sql: string): Promise<Reply> {
    this.#checkSize(sql);
    const running = this.#command<Reply>((settle) => {
      const query = this.#client.query(sql, (error, found, fields) => {
        settle(error, () => this.#reply(found, fields as unknown as Fields));
      });
      query.on("fields", (fields) => {
        if (fields !== undefined) prepareFields(fields as unknown as Field[]);
      });
    });
    return await (this.#limit === undefined ? running : this.#limited(running, this.#limit));
  }

  /** Runs several statements, on a connection that takes them, without a limit of time. */
  async runScript(sql: string): Promise<ScriptOutcome> {
    const results: boolean[] = [];
    let complete = 0;
    try {
      this.#checkSize(sql);
      await this.#command((settle) => {
        const query = this.#client.query(sql, (error) => {
          // What has begun to send rows and fails then has told its columns already. The library has
          // no other number of the result that it reads.
          complete = (query as unknown as { readonly _resultIndex: number })._resultIndex;
          settle(error, () => undefined);
        });
        query.on("fields", (fields) => results.push(fields !== undefined));
      });
      return { results, error: undefined };
    } catch (error) {
      return { results: results.slice(0, complete), error };
    }
  }

  /** Asks the server for a sign of life. */
  async ping(): Promise<void> {
    await this.#command((settle) => this.#client.ping((error) => settle(error, () => undefined)));
  }

  /**
   * Has the server compile a statement that is not run; `?` are its placeholders.
   *
   * @throws {Error} The server refuses it.
   */
  async compile(sql: string): Promise<void> {
    await this.#command((settle) => {
      this.#client.prepare(sql, (error) => {
        if (error == null) this.#client.unprepare(sql);
        settle(error, () => undefined);
      });
    });
  }

  /** Ends it at once; a statement that runs fails with `reason`. */
  destroy(reason: Error = new ClosedError("the connection was closed")): void {
    this.#end(reason);
  }

  /** Tells the server that it ends, which would count it as broken otherwise. */
  async end(): Promise<void> {
    if (this.isLost) return;
    const quitting = this.#command((settle) =>
      this.#client.end((error) => settle(error, () => undefined))
    );
    await withTimeout(quitting, ENDING, () => {}).catch(() => {});
    this.destroy();
  }

  /** The server would end the connection. */
  #checkSize(sql: string): void {
    const { largestPacket } = this.server;
    // No character has more than three bytes for each of its units.
    if (sql.length * 3 < largestPacket) return;
    const size = Buffer.byteLength(sql);
    if (size < largestPacket) return;
    throw new RefusedError(
      `it has ${size} bytes, and the server's max_allowed_packet is ${largestPacket}`,
    );
  }

  /** The server's own limit is for some statements alone, and a server that is frozen has none. */
  async #limited(running: Promise<Reply>, limit: number): Promise<Reply> {
    const seconds = `${limit / 1000} s`;
    let timer = setTimeout(() => {
      this.interrupted = true;
      this.onLate?.();
      timer = setTimeout(() => {
        this.#end(new DeadlineError(`the statement was not ended within ${seconds}`));
      }, GRACE);
    }, limit + MARGIN);
    try {
      return await running;
    } finally {
      clearTimeout(timer);
    }
  }

  #command<T>(
    send: (settle: (error: Error | null | undefined, result: () => T) => void) => void,
  ): Promise<T> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      this.#running.add(reject);
      send((error, result) => {
        this.#running.delete(reject);
        // The library has null or undefined where nothing is wrong.
        if (error == null) {
          try {
            resolve(result());
          } catch (cause) {
            reject(cause);
          }
        } else if (isFatal(error)) {
          this.#running.add(reject);
          this.#end(new LostConnectionError(error));
        } else reject(error);
      });
    });
  }

  #reply(found: unknown, fields: Fields): Reply {
    if (Array.isArray(found) && isOfSeveral(fields)) {
      // A procedure has a result for each of its SELECTs, and one of its own at last.
      const index = fields.findIndex((of) => of !== undefined);
      if (index === -1) return this.#reply(found.at(-1), undefined);
      return toRows(found[index] as RawRow[], fields[index] ?? []);
    }
    if (fields !== undefined) return toRows(found as RawRow[], fields as readonly Field[]);
    const { affectedRows, insertId, serverStatus } = found as mysql.ResultSetHeader;
    this.#inTransaction = (serverStatus & IN_TRANSACTION) !== 0;
    return { affectedRows, insertId };
  }

  #end(reason: Error): void {
    if (this.#ended === undefined) {
      this.#ended = reason;
      // The library's `destroy` only ends its own side, which a server that is frozen never answers.
      this.#client.destroy();
      this.#socket.destroy();
      for (const hear of this.#listeners.splice(0)) hear();
    }
    const running = [...this.#running];
    this.#running.clear();
    for (const reject of running) reject(this.#ended);
  }
}

/** The columns of a result, or those of several; undefined for a result without rows. */
type Fields = readonly Field[] | readonly (readonly Field[] | undefined)[] | undefined;

function isOfSeveral(fields: Fields): fields is readonly (readonly Field[] | undefined)[] {
  return fields !== undefined && fields.length > 0 &&
    (fields[0] === undefined || Array.isArray(fields[0]));
}

/** The server refuses a statement with `errno`; all else breaks the connection. */
function isFatal(error: Error): boolean {
  return (error as { readonly fatal?: boolean }).fatal === true ||
    typeof (error as { readonly errno?: unknown }).errno !== "number";
}
