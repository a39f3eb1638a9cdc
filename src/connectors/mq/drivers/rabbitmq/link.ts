/** One connection to a broker, which is made again whenever it is lost. */
import { shownWords } from "../../../../base/shown.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { Logger } from "../../../../contract/connector.ts";
import { AMQPChannelError, AMQPConnectionError, AMQPError, Connection } from "rabbitmq-client";
import { type Address, describeAddress } from "./address.ts";
import { FRAME_MAX } from "./encoding.ts";
import { boundHeaders } from "./reading.ts";

/** Milliseconds that the broker has to take a connection, a channel or a confirmed message. */
export const PATIENCE = 5000;

/** What cannot be mended by waiting: credentials, permissions, other properties than declared. */
const HOPELESS = ["ACCESS_REFUSED", "NOT_ALLOWED", "PRECONDITION_FAILED"];

/** Whether another try cannot succeed before somebody has changed something. */
export function isHopeless(error: unknown): boolean {
  return error instanceof AMQPError && HOPELESS.includes(error.code);
}

/** An error in words; some of Node's have a code and no message. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return shownWords(String(error));
  const code = "code" in error ? String(error.code) : error.name;
  // The library puts "undefined: " before some of the broker's own messages.
  return error.message === "" ? code : shownWords(error.message.replace(/^undefined: /, ""));
}

/** What must stand on a connection before anything is sent on it. */
export type Prepare = (connection: Connection) => Promise<void>;

/** Keeps the connection and says once for each outage why there is none. */
export class Link {
  /** The library's connection. */
  readonly connection: Connection;
  /**
   * Resolves when the first attempt to connect and prepare has ended, with the error that it ended
   * with, if any.
   */
  readonly opened: Promise<unknown>;
  readonly #listeners: (() => void)[] = [];
  #trouble: string | undefined;
  /** Counts what happens to the connection, so that what is late for it can tell. */
  #turn = 0;

  /**
   * Connects at once; `name` is shown in the broker's list of connections. There is trouble until
   * `prepare`, which runs on every connection, has ended. Where it fails later than the first time,
   * that is logged.
   */
  constructor(address: Address, name: string, logger: Logger, prepare?: Prepare) {
    const where = describeAddress(address);
    this.#trouble = `the broker ${where} has not answered yet`;
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
    this.connection = connection;
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
        logger.warn("the broker {where} refused something: {reason}", { where, reason });
        return;
      }
      lost = true;
      this.#turn++;
      this.#trouble = `the broker ${where} is away: ${reason}`;
      // Whoever waits for `opened` throws it.
      if (first && isHopeless(error)) return;
      logger.warn("the broker {where} is away, trying again: {reason}", { where, reason });
    });
    connection.on("connection", () => {
      boundHeaders(connection);
      const first = !tried;
      tried = true;
      if (lost) logger.info("the broker {where} is back", { where });
      lost = false;
      const turn = ++this.#turn;
      const ready = (failure?: unknown): void => {
        if (first) settleOpened(failure);
        // A connection that is lost meanwhile has its own trouble.
        if (turn !== this.#turn) return;
        this.#trouble = undefined;
        if (!first && failure !== undefined) {
          logger.warn("could not declare all: {reason}", { reason: describe(failure) });
        }
        for (const listener of this.#listeners) listener();
      };
      if (prepare === undefined) ready();
      else prepare(connection).then(() => ready(), ready);
    });
    connection.on("connection.blocked", (why: string) => {
      const reason = shownWords(why);
      this.#trouble = `the broker ${where} takes no messages: ${reason}`;
      logger.warn("the broker {where} takes no messages: {reason}", { where, reason });
    });
    connection.on("connection.unblocked", () => {
      this.#trouble = undefined;
      logger.info("the broker {where} takes messages again", { where });
    });
  }

  /** Why nothing can be sent at the moment; undefined when it can. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Calls whenever something can be sent again. */
  onReady(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Ends the connection; a broker that does not answer is left without a word. */
  async close(): Promise<void> {
    const { connection } = this;
    await withTimeout(connection.close(), PATIENCE, () => connection.unsafeDestroy());
  }
}
