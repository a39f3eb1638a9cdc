/** Publishes messages and waits for the broker's confirmations. */
import { InFlight } from "../../../../base/in-flight.ts";
import { quoted } from "../../../../base/shown.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { Buffer } from "node:buffer";
import { setImmediate } from "node:timers";
import {
  AMQPError,
  type Envelope,
  type Publisher as ClientPublisher,
  type PublisherProps,
} from "rabbitmq-client";
import { UnsendableError } from "../../broker.ts";
import { type BrokerConnection, describe, PATIENCE } from "./connection.ts";
import { headerProblem } from "./headers.ts";

/** The broker has a limit for bodies, and the client's own encoder for what it writes. */
function isUnsendable(error: unknown): boolean {
  if (!(error instanceof AMQPError)) {
    return error instanceof RangeError || error instanceof TypeError;
  }
  return error.code === "CODEC" ||
    (error.code === "PRECONDITION_FAILED" &&
      error.message.includes("larger than configured max size"));
}

/** How one channel publishes. */
export interface PublisherOptions {
  /** Whether the broker confirms each message. */
  readonly confirms: boolean;
  /** Declared whenever the channel is made. */
  readonly exchanges?: PublisherProps["exchanges"];
}

/** Publishes on a channel of its own, which is made when it is first needed. */
export class Publisher {
  readonly #connection: BrokerConnection;
  readonly #confirms: boolean;
  readonly #publisher: ClientPublisher;
  readonly #inFlight = new InFlight();
  /** Messages that must reach a queue, by id: how many are on their way, and whether one came back. */
  readonly #mandatory = new Map<string, { count: number; returned: boolean }>();

  /** Sends nothing yet. */
  constructor(connection: BrokerConnection, { confirms, exchanges = [] }: PublisherOptions) {
    this.#connection = connection;
    this.#confirms = confirms;
    this.#publisher = connection.client.createPublisher({ confirm: confirms, exchanges });
    this.#publisher.on("basic.return", ({ messageId = "" }) => {
      const entry = this.#mandatory.get(messageId);
      if (entry !== undefined) entry.returned = true;
    });
  }

  /**
   * Resolves when the broker has confirmed the message; without confirms, when it is on its way.
   *
   * @throws {UnsendableError} It never can be sent.
   * @throws {Error} There is no connection, the broker refused the message, a mandatory message
   * reached no queue, or no confirmation came in time.
   */
  send(envelope: Envelope & { readonly messageId: string }, body: Buffer): Promise<void> {
    const { health } = this.#connection;
    if (health !== undefined) return Promise.reject(new Error(health));
    // The client closes its channel over what it cannot write, and all that is on its way fails.
    const problem = headerProblem(envelope);
    if (problem !== undefined) return Promise.reject(new UnsendableError(problem));
    const sent = this.#confirms && envelope.mandatory
      ? this.#sendMandatory(envelope, body)
      : this.#sendInTime(envelope, body);
    return this.#inFlight.add(sent);
  }

  /** Waits for all confirmations, then closes the channel. */
  async close(): Promise<void> {
    await this.#inFlight.empty();
    // A channel that could not even be made needs no closing.
    await this.#publisher.close().catch(() => undefined);
  }

  async #sendMandatory(
    envelope: Envelope & { readonly messageId: string },
    body: Buffer,
  ): Promise<void> {
    const { messageId, routingKey } = envelope;
    const entry = this.#mandatory.get(messageId) ?? { count: 0, returned: false };
    this.#mandatory.set(messageId, entry);
    entry.count++;
    try {
      await this.#sendInTime(envelope, body);
      // A message is returned before it is confirmed, but the event is emitted one turn later.
      await new Promise((resolve) => setImmediate(resolve));
      if (entry.returned) throw new Error(`no queue takes the routing key ${quoted(routingKey)}`);
    } finally {
      if (--entry.count === 0) this.#mandatory.delete(messageId);
    }
  }

  async #sendInTime(envelope: Envelope, body: Buffer): Promise<void> {
    try {
      await withTimeout(this.#publisher.send(envelope, body), PATIENCE, () => {
        throw new Error(`the broker has not confirmed within ${PATIENCE / 1000} s`);
      });
    } catch (error) {
      const UnsentError = isUnsendable(error) ? UnsendableError : Error;
      throw new UnsentError(describe(error), { cause: error });
    }
  }
}
