/** The connection to a broker, which is made again whenever it is lost. */
import type { Socket } from "node:net";
import { setImmediate } from "node:timers";
import { AMQPChannelError, AMQPConnectionError, type Channel, Connection } from "rabbitmq-client";
import { TimeoutError } from "../../../../base/errors.ts";
import { shownWords } from "../../../../base/shown.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { Logger } from "../../../../contract/connector.ts";
import type { TlsOptions } from "../../../../contract/tls-files.ts";
import { type Address, describeAddress } from "../../amqp-address.ts";
import { describe, isPermanent } from "./errors.ts";
import { boundHeaders } from "./frame-guard.ts";
import { FRAME_MAX } from "./headers.ts";
import { hostsOption } from "./hosts.ts";

/** Milliseconds after which a connection, a channel or a confirmation is given up. */
export const PATIENCE = 5000;

/** Milliseconds after which it is given up that all exchanges and queues are declared. */
const DECLARING = 15_000;

/**
 * Seconds. Both sides say something twice as often, and the library gives a connection up that has been
 * silent for twice as long.
 */
const HEARTBEAT = 2;

/** Declares what a connection needs before anything is sent on it. `id` is that of the connection. */
export type Prepare = (connection: Connection, id: string) => Promise<void>;

/** What a connection is made with. */
export interface ConnectionContext {
  readonly address: Address;
  /** Undefined without TLS. */
  readonly tls: TlsOptions | undefined;
  /** Shown in the broker's list of connections. */
  readonly name: string;
  readonly logger: Logger;
  /** Runs on every connection. Where it fails later than the first time, that is logged. */
  readonly prepare?: Prepare;
}

/** What is used of the library that has no call; deno.json names its exact version. */
interface Internals {
  readonly _socket: Socket;
  readonly _state: { readonly lazyChannel: unknown };
  /** Called for each attempt to connect. */
  _connect: () => Socket;
}

/** Keeps a connection; logs once for each outage why there is none. */
export class BrokerConnection {
  /** The connection of the client library. */
  readonly client: Connection;
  /**
   * Resolves when the first attempt to connect and prepare has ended, with the error that it ended
   * with, if any. Of a cluster, every node may be tried.
   */
  readonly opened: Promise<unknown>;
  readonly #where: string;
  readonly #logger: Logger;
  readonly #listeners: (() => void)[] = [];
  #health: string | undefined;
  /** The last reason in the log why it is away. */
  #reason = "";
  #id = "";
  /** Counts the events of the connection: a result of an earlier one is ignored. */
  #turn = 0;
  /** Whether the first attempt has ended. */
  #tried = false;
  /** Whether `opened` has resolved. */
  #isOpened = false;
  #lost = false;
  #reconnects = 0;
  #gathering = false;
  /** Until then other nodes of a cluster are tried. */
  #trying: ReturnType<typeof setTimeout> | undefined;

  /** Connects at once. */
  constructor({ address, tls, name, logger, prepare }: ConnectionContext) {
    this.#where = describeAddress(address);
    this.#logger = logger;
    this.#health = `the broker ${this.#where} has not answered yet`;
    const { hosts, username, password, vhost } = address;
    const connection = new Connection({
      ...hostsOption(hosts),
      username,
      password,
      vhost,
      ...(tls !== undefined && { tls }),
      connectionName: name,
      acquireTimeout: PATIENCE,
      connectionTimeout: PATIENCE,
      heartbeat: HEARTBEAT,
      frameMax: FRAME_MAX,
      // The next node of a cluster is tried soon.
      retryLow: hosts.length > 1 ? 100 : 500,
      retryHigh: PATIENCE,
    });
    this.client = connection;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.opened = promise;
    const opened = (failure: unknown): void => {
      this.#isOpened = true;
      resolve(failure);
    };
    connection.on("error", (error: unknown) => this.#failed(error, hosts.length > 1, opened));
    connection.on("connection", () => this.#connected(prepare, opened));
    this.#watchAttempts(opened);
    connection.on("connection.blocked", (why: string) => {
      const reason = shownWords(why);
      this.#health = `the broker ${this.#where} accepts no messages: ${reason}`;
      this.#warn("the broker {where} accepts no messages: {reason}", reason);
    });
    connection.on("connection.unblocked", () => {
      logger.info("the broker {where} accepts messages again", { where: this.#where });
      this.#ready();
    });
  }

  /** Why nothing can be sent at the moment; undefined when it can. */
  get health(): string | undefined {
    return this.#health;
  }

  /** How often it was made again. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Identifies the connection in the broker: another one after each reconnect. */
  get id(): string {
    return this.#id;
  }

  /** Calls `listener` whenever a connection is ready, or accepts messages again. */
  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /**
   * Sends what is written from now to the end of this turn in one piece: a call of the system for each
   * message costs more than all else.
   */
  gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    const socket = this.#socket;
    socket.cork();
    setImmediate(() => {
      this.#gathering = false;
      socket.uncork();
    });
  }

  /** Logs that the broker has closed a channel. */
  channelClosed(error: unknown): void {
    this.#warn("the broker {where} closed a channel: {reason}", describe(error));
  }

  /**
   * Waits for an answer of the broker; without one the connection is dropped, and made again.
   *
   * @throws {TimeoutError} None came in `patience` milliseconds.
   */
  answer<T>(pending: Promise<T>, what: string, patience = PATIENCE): Promise<T> {
    // Not a later one, which may be good.
    const socket = this.#socket;
    return withTimeout(pending, patience, () => {
      const error = new TimeoutError(`the broker has not ${what} within ${patience / 1000} s`);
      socket.destroy(error);
      throw error;
    });
  }

  /** Closes the connection; drops it where the broker does not answer. */
  async close(): Promise<void> {
    clearTimeout(this.#trying);
    await withTimeout(this.#end(), PATIENCE, () => this.client.unsafeDestroy());
  }

  async #end(): Promise<void> {
    // The library would close it as soon as it is open, and handle no failure: that ends a process.
    await Promise.resolve(this.#internals._state.lazyChannel).catch(() => undefined);
    await this.client.close();
  }

  /** The library has no calls for what is done with them. */
  get #internals(): Internals {
    return this.client as unknown as Internals;
  }

  get #socket(): Socket {
    return this.#internals._socket;
  }

  /**
   * The library tells of the first failure of an outage alone. A later one may be final: another node
   * refuses the credentials, or the broker does when it is back.
   */
  #watchAttempts(opened: (error: unknown) => void): void {
    const internals = this.#internals;
    const connect = internals._connect;
    internals._connect = () => {
      const turn = this.#turn;
      const socket = connect();
      socket.on("error", (error) => {
        // Where it was connected meanwhile, the library tells of it.
        if (turn === this.#turn) this.#failedAgain(error, opened);
      });
      return socket;
    };
  }

  #failedAgain(error: unknown, opened: (error: unknown) => void): void {
    const reason = describe(error);
    this.#health = `the broker ${this.#where} is away: ${reason}`;
    if (!isPermanent(error)) return;
    // The caller that waits for `opened` throws it.
    if (!this.#isOpened) return opened(error);
    this.#warnAway(reason);
  }

  #failed(error: unknown, isCluster: boolean, opened: (error: unknown) => void): void {
    if (error instanceof AMQPChannelError && !(error instanceof AMQPConnectionError)) {
      opened(error);
      return this.channelClosed(error);
    }
    const first = !this.#tried;
    this.#tried = true;
    const reason = describe(error);
    this.#lost = true;
    this.#turn++;
    this.#health = `the broker ${this.#where} is away: ${reason}`;
    if (!isCluster || isPermanent(error)) opened(error);
    else this.#trying ??= setTimeout(() => opened(error), PATIENCE);
    // The caller that waits for `opened` throws it.
    if (first && isPermanent(error)) return;
    this.#reason = "";
    this.#warnAway(reason);
  }

  #warnAway(reason: string): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#warn("the broker {where} is away; reconnecting: {reason}", reason);
  }

  #connected(prepare: Prepare | undefined, opened: (error: unknown) => void): void {
    boundHeaders(this.client);
    const first = !this.#tried;
    this.#tried = true;
    if (this.#lost) {
      this.#reconnects++;
      this.#logger.info("the broker {where} is back", { where: this.#where });
    }
    this.#lost = false;
    const turn = ++this.#turn;
    this.#id = crypto.randomUUID();
    const ready = (failure?: unknown): void => {
      clearTimeout(this.#trying);
      opened(failure);
      // A connection that is lost meanwhile has set its own.
      if (turn !== this.#turn) return;
      if (!first && failure !== undefined) {
        this.#warn("failed to declare exchanges and queues: {reason}", describe(failure));
      }
      this.#ready();
    };
    if (prepare === undefined) return ready();
    const preparing = prepare(this.client, this.#id);
    this.answer(preparing, "declared exchanges and queues", DECLARING).then(() => ready(), ready);
  }

  #ready(): void {
    this.#health = undefined;
    for (const listener of this.#listeners) listener();
  }

  #warn(message: string, reason: string): void {
    this.#logger.warn(message, { where: this.#where, reason });
  }
}

/**
 * Closes a channel, or hears that its connection is lost. The library's own `close` waits for ever for
 * an answer if that happens meanwhile.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const lost = new Promise<void>((resolve) => channel.once("close", resolve));
  await Promise.race([channel.close(), lost]);
}
