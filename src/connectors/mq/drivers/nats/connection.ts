/** The connection to NATS, which is made again whenever it is lost. */
import {
  type NatsConnection,
  PermissionViolationError,
  type Status,
  TimeoutError,
} from "@nats-io/transport-node";
import { retryDelay } from "../../../../base/retry.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { Logger } from "../../../../contract/connector.ts";
import { describe, isPermanent, RefusedError } from "./errors.ts";
import { refusesClient } from "./greeting.ts";
import type { Entry } from "./login.ts";
import { connect } from "./transport.ts";

/** Milliseconds after which an answer is given up. */
export const PATIENCE = 5000;

/** The same for a connection. */
const CONNECT = 2000;

/** Milliseconds between pings; two without an answer end the connection. */
const PING = 1000;

const DELAYS = { delay: 250, maxDelay: 3000, backoff: "exponential" } as const;

/** What parts of a connector hear of the connection. */
export interface LinkListener {
  /** It is there, for the first time or again; `client` may be the one that was lost. */
  ready?(client: NatsConnection): void;
  /** It was lost. */
  lost?(reason: string): void;
  /** The server refuses a subject. */
  refused?(error: PermissionViolationError): void;
  /** The server tells of another error. It may end the connection then. */
  told?(error: Error): void;
}

/** What a connection is made with. */
export interface LinkOptions {
  /** Each as `host:port`. */
  readonly servers: readonly string[];
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly entry: Entry;
  readonly logger: Logger;
}

/** Keeps a connection; logs once for each outage why there is none. */
export class NatsLink {
  /** Resolves when the first attempt has ended, with the error that it ended with, if any. */
  readonly opened: Promise<unknown>;
  /** The servers for logs. */
  readonly where: string;
  readonly #options: LinkOptions;
  readonly #listeners: LinkListener[] = [];
  /** What could not be sent while it was away. */
  readonly #unsent: (readonly [subject: string, payload: Uint8Array])[] = [];
  #client: NatsConnection | undefined;
  #away: string | undefined;
  /** The latest error that the server told. */
  #told: string | undefined;
  #dials = 0;
  #reconnects = 0;
  #logged = false;
  /** Why it refuses this client, as the log has it. */
  #refusal: string | undefined;
  #closed = false;
  #pause: ReturnType<typeof setTimeout> | undefined;

  /** Connects at once. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.where = options.servers.slice(0, 3).join(", ");
    this.#away = `the broker ${this.where} has not answered yet`;
    this.opened = this.#open();
  }

  /** Adds a listener; it hears of what comes later. */
  listen(listener: LinkListener): void {
    this.#listeners.push(listener);
  }

  /** The connection of the client library while it is up. */
  get client(): NatsConnection | undefined {
    return this.#away === undefined ? this.#client : undefined;
  }

  /** How often the connection came back. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Why nothing can be sent at the moment; undefined when it can. */
  get health(): string | undefined {
    return this.#away;
  }

  /**
   * The connection while it is up.
   *
   * @throws {Error} It is away.
   */
  need(): NatsConnection {
    if (this.#away !== undefined || this.#client === undefined) throw new Error(this.#away);
    return this.#client;
  }

  /** Sends what settles a message, now or when the connection is back. */
  settle(subject: string, payload: Uint8Array): void {
    const { client } = this;
    if (client === undefined) this.#unsent.push([subject, payload]);
    else client.publish(subject, payload);
  }

  /** Resolves when the server has read all that was sent. Never rejects: a lost connection has not. */
  async flush(): Promise<void> {
    const flushing = this.client?.flush().catch(() => undefined);
    await withTimeout(Promise.resolve(flushing), PATIENCE, () => undefined);
  }

  /** Closes the connection; drops it where the server does not answer. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await this.flush();
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#away ??= "the connection is closed";
    const closing = this.#client?.close();
    if (closing !== undefined) await withTimeout(closing, PATIENCE, () => undefined);
  }

  /** Returns the error of the first attempt. Those that follow go on in the background. */
  async #open(): Promise<unknown> {
    const failure = await this.#attempt();
    if (failure === undefined || isPermanent(failure) || this.#closed) return failure;
    this.#again(1);
    return failure;
  }

  #again(attempt: number): void {
    this.#pause = setTimeout(async () => {
      const failure = await this.#attempt();
      if (failure === undefined || this.#closed) return;
      if (isPermanent(failure)) this.#refuses(describe(failure));
      this.#again(attempt + 1);
    }, retryDelay(attempt, DELAYS, Math.random()));
  }

  /** Connects once. Returns why it could not. */
  async #attempt(): Promise<unknown> {
    const { servers, name, entry } = this.#options;
    let client: NatsConnection;
    try {
      client = await connect({
        ...entry.options,
        servers: [...servers],
        name,
        timeout: CONNECT,
        pingInterval: PING,
        maxReconnectAttempts: -1,
        // An operator may correct what the server knows.
        ignoreAuthErrorAbort: true,
        // A trace for each request costs more than the request.
        noAsyncTraces: true,
        reconnectDelayHandler: () => retryDelay(this.#dials + 1, DELAYS),
      });
    } catch (error) {
      const cause = error instanceof TimeoutError && entry.options.tls !== undefined
        ? await refusesClient(servers, entry.certified, CONNECT).then((words) =>
          words === undefined ? error : new RefusedError(words, { cause: error })
        )
        : error;
      this.#lose(describe(cause), !isPermanent(cause));
      return cause;
    }
    if (this.#closed) {
      await client.close();
      return undefined;
    }
    this.#client = client;
    void this.#watch(client);
    this.#return(client);
    return undefined;
  }

  async #watch(client: NatsConnection): Promise<void> {
    for await (const status of client.status()) this.#hear(client, status);
    const error = await client.closed();
    if (this.#closed || this.#client !== client) return;
    // The library has given up; it never does by its settings.
    this.#client = undefined;
    this.#lose(describe(error ?? "the connection was closed"));
    this.#again(1);
  }

  #hear(client: NatsConnection, status: Status): void {
    switch (status.type) {
      case "disconnect":
        this.#dials = 0;
        this.#lose(this.#told ?? "the connection was lost");
        this.#told = undefined;
        this.#options.entry.refresh().catch((error) => {
          this.#options.logger.warn("uses the credentials that it has: {reason}", {
            reason: describe(error),
          });
        });
        break;
      case "staleConnection":
        this.#told = "it answers no pings";
        break;
      case "reconnecting":
        this.#dials++;
        break;
      case "reconnect":
        this.#return(client);
        break;
      case "error":
        if (status.error instanceof PermissionViolationError) {
          for (const listener of this.#listeners) listener.refused?.(status.error);
        } else {
          for (const listener of this.#listeners) listener.told?.(status.error);
          this.#told = describe(status.error);
          if (this.#away !== undefined) {
            this.#away = `the broker ${this.where} is away: ${this.#told}`;
            if (isPermanent(status.error)) this.#refuses(this.#told);
          }
        }
        break;
    }
  }

  #lose(reason: string, logged = true): void {
    if (this.#closed) return;
    const { where } = this;
    const first = this.#away === undefined;
    this.#away = `the broker ${where} is away: ${reason}`;
    // The caller that waits for `opened` throws what is permanent.
    if (logged && !this.#logged) {
      this.#logged = true;
      this.#options.logger.warn("the broker {where} is away; reconnecting: {reason}", {
        where,
        reason,
      });
    }
    if (!first) return;
    for (const listener of this.#listeners) listener.lost?.(reason);
  }

  /** It is there again, and does not take this client: the log has said only that it was away. */
  #refuses(reason: string): void {
    if (this.#refusal === reason) return;
    this.#refusal = reason;
    this.#options.logger.error("the broker {where} refuses the connection; tries again: {reason}", {
      where: this.where,
      reason,
    });
  }

  #return(client: NatsConnection): void {
    if (this.#closed) return;
    if (this.#logged) {
      this.#reconnects++;
      this.#options.logger.info("the broker {where} is back", { where: this.where });
    }
    this.#logged = false;
    this.#told = undefined;
    this.#refusal = undefined;
    this.#away = undefined;
    for (const [subject, payload] of this.#unsent.splice(0)) client.publish(subject, payload);
    for (const listener of this.#listeners) listener.ready?.(client);
  }
}
