/** Publishes without a stream, and waits until the server has read what was sent. */
import { InvalidArgumentError, type MsgHdrs, type NatsConnection } from "@nats-io/transport-node";
import { endOfTick } from "../../../../base/clock.ts";
import { shownWords } from "../../../../base/shown.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import { UnsendableError } from "../../../../messaging/mod.ts";
import { type LinkListener, type NatsLink, PATIENCE } from "./connection.ts";

/**
 * Publishes on a connection that is up.
 *
 * @throws {UnsendableError} The message is too large for the server.
 */
export function publishOn(
  client: NatsConnection,
  subject: string,
  body: Uint8Array,
  options: { readonly headers: MsgHdrs | undefined; readonly reply?: string },
): void {
  const most = client.info?.max_payload ?? Infinity;
  if (body.length > most) throw tooLarge(most);
  try {
    client.publish(subject, body, options as { headers?: MsgHdrs; reply?: string });
  } catch (cause) {
    // With its headers.
    if (cause instanceof InvalidArgumentError) throw tooLarge(most);
    throw cause;
  }
}

function tooLarge(most: number): UnsendableError {
  return new UnsendableError(
    `it has more than the ${most} bytes that the broker takes (max_payload)`,
  );
}

/** What is published in one turn of the event loop. */
interface Batch {
  readonly flushed: Promise<void>;
  /** Subjects that the server has refused meanwhile, and why. */
  readonly refused: Map<string, string>;
  /** Gives it up. */
  fail(error: Error): void;
}

/** All that is published in one turn of the event loop waits for one answer of the server. */
export class Flusher implements LinkListener {
  readonly #link: NatsLink;
  /** The one that takes messages. */
  #batch: Batch | undefined;
  /** All that wait. */
  readonly #waiting = new Set<Batch>();

  /** Sends nothing yet. */
  constructor(link: NatsLink) {
    this.#link = link;
    link.listen(this);
  }

  /**
   * Resolves when the server has the message: whoever is subscribed there gets it.
   *
   * @throws {UnsendableError} It never can be sent.
   * @throws {Error} The broker is away, or has not answered in time.
   */
  async send(subject: string, body: Uint8Array, headers: MsgHdrs | undefined): Promise<void> {
    publishOn(this.#link.need(), subject, body, { headers });
    const { flushed, refused } = this.#batch ??= this.#open();
    await flushed;
    const reason = refused.get(subject);
    if (reason !== undefined) throw new UnsendableError(reason);
  }

  /** The library drops what it has, and says so when it dials again, without the reason. */
  lost(reason: string): void {
    const error = new Error(`the connection was lost before the broker answered: ${reason}`);
    for (const batch of this.#waiting) batch.fail(error);
  }

  refused({ operation, subject, message }: Parameters<Required<LinkListener>["refused"]>[0]): void {
    if (operation !== "publish") return;
    for (const { refused } of this.#waiting) refused.set(subject, shownWords(message));
  }

  #open(): Batch {
    const { promise: flushed, resolve, reject: fail } = Promise.withResolvers<void>();
    const batch = { flushed, refused: new Map<string, string>(), fail };
    this.#waiting.add(batch);
    const done = (): void => void this.#waiting.delete(batch);
    // Whoever waits handles a failure; there may be nobody left.
    flushed.then(done, done);
    this.#flush().then(resolve, fail);
    return batch;
  }

  async #flush(): Promise<void> {
    await new Promise<void>(endOfTick);
    this.#batch = undefined;
    await withTimeout(this.#link.need().flush(), PATIENCE, () => {
      throw new Error(`the broker has not answered within ${PATIENCE / 1000} s`);
    });
    // What the server refuses is told before its answer, but the library tells of it a turn later.
    await new Promise<void>(endOfTick);
  }
}
