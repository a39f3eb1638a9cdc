/** Publishing, with the broker's word that it has taken charge. */
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
import { headerProblem } from "./encoding.ts";
import { describe, type Link, PATIENCE } from "./link.ts";

/** A message that can never be sent: not by this client, or not to this broker. */
export class UnsendableError extends Error {
  override readonly name = "UnsendableError";
}

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
  readonly #link: Link;
  readonly #confirms: boolean;
  readonly #publisher: ClientPublisher;
  readonly #inFlight = new InFlight();
  /** Messages that must reach a queue, by id: how many are on their way, and whether one came back. */
  readonly #mandatory = new Map<string, { count: number; returned: boolean }>();

  /** Sends nothing yet. */
  constructor(link: Link, { confirms, exchanges = [] }: PublisherOptions) {
    this.#link = link;
    this.#confirms = confirms;
    this.#publisher = link.connection.createPublisher({ confirm: confirms, exchanges });
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
    const { trouble } = this.#link;
    if (trouble !== undefined) return Promise.reject(new Error(trouble));
    // The client closes its channel over what it cannot write, with all that is on its way.
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
      // A message that comes back does so before its confirmation, but is told of one turn later.
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
      if (isUnsendable(error)) throw new UnsendableError(describe(error), { cause: error });
      throw error;
    }
  }
}
