/** The connection to a broker: its address, and a connection that is made again whenever it is lost. */
import {
  AMQPChannelError,
  AMQPConnectionError,
  AMQPError,
  Connection,
  type ConnectionOptions,
} from "rabbitmq-client";
import { shownWords } from "../../../../base/shown.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { Logger } from "../../../../contract/connector.ts";
import type { MqOptions } from "../../options.ts";
import { boundHeaders } from "./frame-guard.ts";
import { FRAME_MAX } from "./headers.ts";

/** The address as the client library takes it. */
export type Address =
  & Required<Pick<ConnectionOptions, "hostname" | "port" | "username" | "password" | "vhost">>
  & { readonly tls: boolean };

/** The address that a configuration names; its checks have passed. */
export function addressOf(options: MqOptions): Address {
  if (options.url !== undefined) return fromUrl(new URL(options.url));
  const { host = "localhost", username = "guest", password = "guest", vhost = "/" } = options;
  const { tls = false } = options;
  return { hostname: host, port: options.port ?? defaultPort(tls), username, password, vhost, tls };
}

/** The address for logs, without the password. */
export function describeAddress({ hostname, port, vhost }: Address): string {
  return `${hostname}:${port}${vhost === "/" ? "" : ` (vhost ${vhost})`}`;
}

function fromUrl(url: URL): Address {
  const tls = url.protocol === "amqps:";
  return {
    // An IPv6 address has brackets in a URL, but nowhere else.
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPort(tls) : url.port,
    username: decodeURIComponent(url.username) || "guest",
    password: decodeURIComponent(url.password) || "guest",
    vhost: decodeURIComponent(url.pathname.slice(1)) || "/",
    tls,
  };
}

function defaultPort(tls: boolean): number {
  return tls ? 5671 : 5672;
}

/** Milliseconds after which a connection, a channel or a confirmation is given up. */
export const PATIENCE = 5000;

/** Errors that waiting does not repair: credentials, permissions, other properties than declared. */
const PERMANENT = ["ACCESS_REFUSED", "NOT_ALLOWED", "PRECONDITION_FAILED"];

/** Whether another attempt cannot succeed until the configuration of one side has changed. */
export function isPermanent(error: unknown): boolean {
  return error instanceof AMQPError && PERMANENT.includes(error.code);
}

/** An error in words; some of Node's have a code and no message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return shownWords(String(error));
  const code = "code" in error ? String(error.code) : error.name;
  // The library puts "undefined: " before some of the broker's own messages.
  return error.message === "" ? code : shownWords(error.message.replace(/^undefined: /, ""));
}

/** Declares what a connection needs before anything is sent on it. `id` is that of the connection. */
export type Prepare = (connection: Connection, id: string) => Promise<void>;

/** Keeps a connection; logs once for each outage why there is none. */
export class BrokerConnection {
  /** The connection of the client library. */
  readonly client: Connection;
  /**
   * Resolves when the first attempt to connect and prepare has ended, with the error that it ended
   * with, if any.
   */
  readonly opened: Promise<unknown>;
  readonly #listeners: (() => void)[] = [];
  #health: string | undefined;
  #id = "";
  /** Counts the events of the connection: a result of an earlier one is ignored. */
  #turn = 0;

  /**
   * Connects at once; `name` is shown in the broker's list of connections. `prepare` runs on every
   * connection, before anything else is sent on it. Where it fails later than the first time, that is
   * logged.
   */
  constructor(address: Address, name: string, logger: Logger, prepare?: Prepare) {
    const where = describeAddress(address);
    this.#health = `the broker ${where} has not answered yet`;
    const connection = new Connection({
      ...address,
      connectionName: name,
      acquireTimeout: PATIENCE,
      connectionTimeout: PATIENCE,
      heartbeat: 20,
      frameMax: FRAME_MAX,
      retryLow: 500,
      retryHigh: 5000,
    });
    this.client = connection;
    const { promise, resolve: settleOpened } = Promise.withResolvers<unknown>();
    this.opened = promise;
    connection.once("error", settleOpened);
    let lost = false;
    let tried = false;
    connection.on("error", (error: unknown) => {
      const first = !tried;
      tried = true;
      const reason = describe(error);
      if (error instanceof AMQPChannelError && !(error instanceof AMQPConnectionError)) {
        logger.warn("the broker {where} closed a channel: {reason}", { where, reason });
        return;
      }
      lost = true;
      this.#turn++;
      this.#health = `the broker ${where} is away: ${reason}`;
      // The caller that waits for `opened` throws it.
      if (first && isPermanent(error)) return;
      logger.warn("the broker {where} is away; reconnecting: {reason}", { where, reason });
    });
    connection.on("connection", () => {
      boundHeaders(connection);
      const first = !tried;
      tried = true;
      if (lost) logger.info("the broker {where} is back", { where });
      lost = false;
      const turn = ++this.#turn;
      this.#id = crypto.randomUUID();
      const ready = (failure?: unknown): void => {
        if (first) settleOpened(failure);
        // A connection that is lost meanwhile has set its own.
        if (turn !== this.#turn) return;
        this.#health = undefined;
        if (!first && failure !== undefined) {
          logger.warn("failed to declare exchanges and queues: {reason}", {
            reason: describe(failure),
          });
        }
        for (const listener of this.#listeners) listener();
      };
      if (prepare === undefined) ready();
      else prepare(connection, this.#id).then(() => ready(), ready);
    });
    connection.on("connection.blocked", (why: string) => {
      const reason = shownWords(why);
      this.#health = `the broker ${where} accepts no messages: ${reason}`;
      logger.warn("the broker {where} accepts no messages: {reason}", { where, reason });
    });
    connection.on("connection.unblocked", () => {
      this.#health = undefined;
      logger.info("the broker {where} accepts messages again", { where });
    });
  }

  /** Why nothing can be sent at the moment; undefined when it can. */
  get health(): string | undefined {
    return this.#health;
  }

  /** Identifies the connection in the broker: another one after each reconnect. */
  get id(): string {
    return this.#id;
  }

  /** Calls `listener` whenever a connection is ready. */
  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Closes the connection; drops it where the broker does not answer. */
  async close(): Promise<void> {
    const { client } = this;
    await withTimeout(client.close(), PATIENCE, () => client.unsafeDestroy());
  }
}
