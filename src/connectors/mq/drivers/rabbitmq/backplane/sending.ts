/** Publishes on one channel, and waits for the broker's confirmations. */
import { Buffer } from "node:buffer";
import { AMQPChannelError, type Channel } from "rabbitmq-client";
import type { Clock } from "../../../../../base/clock.ts";
import { Deadlines, type Expiring } from "../../../../../base/deadlines.ts";
import { BackplaneError } from "../../../../../contract/backplane.ts";
import type { BrokerConnection } from "../connection.ts";
import { describe } from "../errors.ts";

/** Milliseconds after which an answer is given up. */
export const PATIENCE = 2000;

/** A message on its way. */
class Sending implements Expiring {
  readonly confirmed: Promise<void>;
  readonly resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor() {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.confirmed = promise;
    this.resolve = resolve;
    this.#reject = reject;
  }

  fail(reason: string, cause?: unknown): void {
    this.#reject(new BackplaneError(reason, { unknown: true, cause }));
  }

  expire(): void {
    this.fail(`the broker has not confirmed within ${PATIENCE / 1000} s`);
  }
}

/** Publishes to one exchange. */
export class Sender {
  readonly #connection: BrokerConnection;
  readonly #channel: Channel;
  readonly #exchange: string;
  readonly #deadlines: Deadlines;
  /** Why the broker has closed the channel, which one message alone hears. */
  #failure: unknown;

  /** The channel confirms. */
  constructor(connection: BrokerConnection, channel: Channel, exchange: string, clock: Clock) {
    this.#connection = connection;
    this.#channel = channel;
    this.#exchange = exchange;
    this.#deadlines = new Deadlines(clock, PATIENCE);
  }

  /**
   * Resolves when the broker has passed the message on to the queues.
   *
   * @throws {BackplaneError} It has not, or nobody knows.
   */
  send(routingKey: string, { buffer, byteOffset, byteLength }: Uint8Array): Promise<void> {
    const sending = new Sending();
    this.#deadlines.add(sending);
    this.#connection.gather();
    const body = Buffer.from(buffer, byteOffset, byteLength);
    this.#channel.basicPublish({ exchange: this.#exchange, routingKey }, body).then(
      () => {
        this.#deadlines.delete(sending);
        sending.resolve();
      },
      (error) => {
        this.#deadlines.delete(sending);
        if (error instanceof AMQPChannelError && error.code !== "CH_CLOSE") this.#failure = error;
        const cause = error.code === "CH_CLOSE" ? this.#failure ?? error : error;
        sending.fail(describe(cause), cause);
      },
    );
    return sending.confirmed;
  }

  /** Stops its timer; what is on its way has failed with the channel. */
  close(): void {
    this.#deadlines.close();
  }
}
