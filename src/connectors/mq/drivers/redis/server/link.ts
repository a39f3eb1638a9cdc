/** One connection that is made again whenever it is lost, and that a heartbeat looks after. */
import { MultiErrorReply } from "@redis/client";
import type { Buffer } from "node:buffer";
import { retryDelay } from "../../../../../base/retry.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import type { Logger } from "../../../../../contract/connector.ts";
import { type Client, PATIENCE } from "./client.ts";
import { describe, isAnswer, isFinal, isReadOnly } from "./errors.ts";

/** Milliseconds between two heartbeats. */
const BEAT = 1000;

/** A connection is lost whose heartbeat has not come back after so many further ones. */
const MISSED = 2;

/** The pauses between attempts, after one that is made at once. */
const DELAYS = { delay: 100, maxDelay: 5000, backoff: "exponential" } as const;

/** A connection that works. */
export interface Connection {
  readonly client: Client;
  /** What the server calls it. */
  readonly id: number;
  /** Such as `redis 8.0.2`. */
  readonly server: string;
  /** The host and the port that it leads to. */
  readonly place: string;
}

/** Tells once for all links of a connector that the server is away, and that it is back. */
export class Outage {
  /** The server as people read it, such as `the broker localhost:6379`. */
  readonly what: string;
  readonly #kind: "broker" | "backplane" | "Sentinel";
  readonly #where: string;
  readonly #logger: Logger;
  readonly #lost = new Set<Link>();
  #ends = 0;

  constructor(kind: "broker" | "backplane" | "Sentinel", where: string, logger: Logger) {
    this.what = `the ${kind} ${where}`;
    this.#kind = kind;
    this.#where = where;
    this.#logger = logger;
  }

  /** How many outages have ended. */
  get ends(): number {
    return this.#ends;
  }

  /** A link has no connection. */
  began(link: Link, reason: string): void {
    const first = this.#lost.size === 0;
    this.#lost.add(link);
    if (!first) return;
    const message = `the ${this.#kind} {where} is away; reconnecting: {reason}`;
    this.#logger.warn(message, { where: this.#where, reason });
  }

  /** A link has a connection, or needs none any more. */
  ended(link: Link): void {
    if (!this.#lost.delete(link) || this.#lost.size > 0) return;
    if (link.client === undefined) return;
    this.#ends++;
    this.#logger.info(`the ${this.#kind} {where} is back`, { where: this.#where });
  }
}

/** How a link works. */
export interface LinkOptions {
  readonly outage: Outage;
  /** Opens a connection, unless `signal` ends the attempt. */
  open(signal: AbortSignal): Promise<Connection>;
  /** Does what each connection needs before it is used; where it fails, the connection is given up. */
  prepare?(connection: Connection): Promise<void>;
  /** Called when a connection that worked is lost. */
  lost?(reason: string): void;
  /** The place that a connection must lead to; undefined where nobody knows better. */
  expected?(): string | undefined;
  /** True where no failure of the first attempt is final: nobody waits for it. */
  readonly patient?: boolean;
  /** Resolves when the connection has shown that it works. Asks for an answer by default. */
  beat?(client: Client): Promise<unknown>;
}

/** Keeps one connection. */
export class Link {
  /**
   * Resolves when the first attempt has ended, with the error that it ended with, if any. After a
   * final one there is no further attempt.
   */
  readonly opened: Promise<unknown>;
  readonly #options: LinkOptions;
  readonly #listeners: (() => void)[] = [];
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  /** A connection that is being prepared. */
  #opening: Client | undefined;
  #health: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beats: ReturnType<typeof setInterval> | undefined;
  #attempt = 0;
  #tried: boolean;

  /** Connects at once. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#tried = options.patient ?? false;
    this.#health = `${options.outage.what} has not answered yet`;
    this.opened = this.#connect();
  }

  /** Why nothing can be sent at the moment; undefined when it can. */
  get health(): string | undefined {
    return this.#health;
  }

  /** The client, while it is connected. */
  get client(): Client | undefined {
    return this.#connection?.client;
  }

  /** What the server calls the connection; undefined where there is none. */
  get id(): number | undefined {
    return this.#connection?.id;
  }

  /** Calls `listener` whenever a connection is ready. */
  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Sends a command, also while a connection is prepared.
   *
   * @throws {Error} There is no connection, or it was lost before the answer came, or the server
   * answered with an error.
   */
  async command<T>(
    args: readonly string[],
    options?: Parameters<Client["sendCommand"]>[1],
  ): Promise<T> {
    const client = this.#connection?.client ?? this.#opening;
    if (client === undefined) throw new Error(this.#health);
    try {
      return await client.sendCommand<T>(args, options);
    } catch (error) {
      throw this.explained(error, client);
    }
  }

  /**
   * Sends commands as one transaction. Returns an answer for each, which may be an error: the others have
   * been done.
   *
   * @throws {Error} As `command`, or the server does none of them.
   */
  async transaction(commands: readonly (readonly (string | Buffer)[])[]): Promise<unknown[]> {
    const client = this.#connection?.client ?? this.#opening;
    if (client === undefined) throw new Error(this.#health);
    const multi = client.multi();
    for (const command of commands) multi.sendCommand([...command]);
    try {
      return await multi.exec();
    } catch (error) {
      if (error instanceof MultiErrorReply) return error.replies;
      throw this.explained(error, client);
    }
  }

  /** What a failed command is told with. A server that takes no writes any more is looked for again. */
  explained(error: unknown, client: Client): unknown {
    if (isReadOnly(error)) this.#lost(client, error);
    if (isAnswer(error)) return error;
    return new Error(this.#health ?? describe(error), { cause: error });
  }

  /** Gives up the connection, as one whose heartbeat has not come back. */
  drop(reason: string): void {
    const client = this.#connection?.client;
    if (client !== undefined) this.#lost(client, new Error(reason));
  }

  /** Closes the connection; whoever waits for an answer has waited before. */
  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearTimeout(this.#timer);
    clearInterval(this.#beats);
    this.#options.outage.ended(this);
    this.#opening?.destroy();
    this.#connection?.client.destroy();
    this.#connection = undefined;
  }

  /** Resolves with the error that the attempt ended with, if any. Never rejects. */
  async #connect(): Promise<unknown> {
    const { open, prepare, outage } = this.#options;
    try {
      const connection = await open(this.#closing.signal);
      this.#opening = connection.client;
      const prepared = prepare?.(connection) ?? Promise.resolve();
      await withTimeout(prepared, PATIENCE, () => {
        throw new Error(`it has not answered within ${PATIENCE / 1000} s`);
      });
      this.#closing.signal.throwIfAborted();
      if (!connection.client.isReady) throw new Error("it has closed the connection");
      this.#opening = undefined;
      this.#use(connection);
      return undefined;
    } catch (error) {
      this.#opening?.destroy();
      this.#opening = undefined;
      if (this.#closing.signal.aborted) return error;
      const reason = describe(error);
      this.#health = `${outage.what} is away: ${reason}`;
      const first = !this.#tried;
      this.#tried = true;
      // The caller that waits for `opened` throws it.
      if (first && isFinal(error)) return error;
      outage.began(this, reason);
      this.#connectLater(retryDelay(++this.#attempt, DELAYS, Math.random()));
      return error;
    }
  }

  #connectLater(delay: number): void {
    if (this.#closing.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#connect(), delay);
  }

  #use(connection: Connection): void {
    const { client } = connection;
    this.#connection = connection;
    this.#health = undefined;
    this.#tried = true;
    this.#attempt = 0;
    client.on("error", (error: unknown) => this.#lost(client, error));
    this.#beats = this.#beat(connection);
    this.#options.outage.ended(this);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Counts heartbeats, not time: while this process stood still, the answer may have come. */
  #beat({ client, place }: Connection): ReturnType<typeof setInterval> {
    const { beat = ping, expected } = this.#options;
    let waiting = false;
    let missed = 0;
    return setInterval(() => {
      const other = expected?.() ?? place;
      if (other !== place) return this.#lost(client, new Error(`${other} is the master now`));
      if (waiting) {
        if (++missed < MISSED) return;
        return this.#lost(client, new Error(`it has not answered within ${MISSED} s`));
      }
      waiting = true;
      beat(client).then(() => {
        waiting = false;
        missed = 0;
      }, (error) => {
        // A connection that is lost says so itself.
        if (isAnswer(error)) this.#lost(client, error);
      });
    }, BEAT);
  }

  #lost(client: Client, error: unknown): void {
    if (client !== this.#connection?.client) return;
    this.#connection = undefined;
    clearInterval(this.#beats);
    const { outage, lost } = this.#options;
    const reason = describe(error);
    this.#health = `${outage.what} is away: ${reason}`;
    client.destroy();
    if (this.#closing.signal.aborted) return;
    outage.began(this, reason);
    this.#connectLater(0);
    lost?.(reason);
  }
}

function ping(client: Client): Promise<unknown> {
  return client.sendCommand(["PING"]);
}
