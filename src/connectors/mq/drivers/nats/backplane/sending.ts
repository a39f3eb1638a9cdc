/** What is sent to the server, with one answer of it for all that is sent in a while. */
import type { NatsConnection } from "@nats-io/transport-node";
import { type Clock, endOfTick } from "../../../../../base/clock.ts";
import { Deadlines, type Expiring } from "../../../../../base/deadlines.ts";
import { shownWords } from "../../../../../base/shown.ts";
import { BackplaneError } from "../../../../../contract/backplane.ts";
import type { LinkListener, NatsLink } from "../connection.ts";
import { describe, RefusedError } from "../errors.ts";

/** Milliseconds after which an answer is given up. */
export const PATIENCE = 2000;

type Refusal = Parameters<Required<LinkListener>["refused"]>[0];

/** What waits for one answer of the server. */
class Batch implements Expiring {
  readonly answered: Promise<void>;
  readonly #expired: (batch: Batch) => void;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  readonly #refused = new Map<string, string>();
  /** Why the server has taken no subscription, or not all of them. */
  #full: string | undefined;

  constructor(expired: (batch: Batch) => void) {
    this.#expired = expired;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    // Whoever waits handles it; there may be nobody left.
    promise.catch(() => undefined);
  }

  refuse({ operation, subject, message }: Refusal): void {
    this.#refused.set(`${operation} ${subject}`, shownWords(message));
  }

  refuseSubscriptions(reason: string): void {
    this.#full = reason;
  }

  /** Why the server refuses one of the subjects. */
  refusal(operation: Refusal["operation"], subjects: readonly string[]): string | undefined {
    if (operation === "subscription" && this.#full !== undefined) return this.#full;
    if (this.#refused.size === 0) return undefined;
    return subjects.map((subject) => this.#refused.get(`${operation} ${subject}`))
      .find((reason) => reason !== undefined);
  }

  settle(): void {
    this.#resolve();
  }

  fail(reason: string): void {
    this.#reject(new BackplaneError(reason, { unknown: true }));
  }

  expire(): void {
    this.#expired(this);
    this.fail(`the broker has not answered within ${PATIENCE / 1000} s`);
  }
}

/**
 * Sends at once. The library loses without a word what it has when the connection is lost, so all of it
 * waits for an answer to a ping that follows it. One ping is on its way at a time.
 */
export class Sender implements LinkListener {
  readonly #link: NatsLink;
  readonly #deadlines: Deadlines;
  /** All that wait, the oldest first. */
  readonly #batches = new Set<Batch>();
  /** The one that takes more. */
  #open: Batch | undefined;
  /** The one whose ping is on its way. */
  #pinging: Batch | undefined;

  constructor(link: NatsLink, clock: Clock) {
    this.#link = link;
    this.#deadlines = new Deadlines(clock, PATIENCE);
    link.listen(this);
  }

  /**
   * Calls `send`, and resolves when the server has read what it sent.
   *
   * @throws {BackplaneError} The broker is away, does not answer, or refuses one of the subjects.
   */
  async send(
    operation: Refusal["operation"],
    subjects: readonly string[],
    send: (client: NatsConnection) => void,
  ): Promise<void> {
    const { client } = this.#link;
    if (client === undefined) throw new BackplaneError(this.#link.health ?? "not connected");
    // First, so that the ping travels in one piece with what is sent.
    const batch = this.#open ??= this.#begin();
    send(client);
    await batch.answered;
    const refusal = batch.refusal(operation, subjects);
    if (refusal === undefined) return;
    const cause = new RefusedError(refusal);
    throw new BackplaneError(`the broker refuses it: ${refusal}`, { cause });
  }

  lost(reason: string): void {
    this.#fail(`the connection was lost before the broker answered: ${reason}`);
  }

  refused(error: Refusal): void {
    for (const batch of this.#batches) batch.refuse(error);
  }

  told(error: Error): void {
    // It names none of them: the limit of a user, an account or the server is reached.
    if (!/subscriptions exceeded/i.test(error.message)) return;
    for (const batch of this.#batches) batch.refuseSubscriptions(shownWords(error.message));
  }

  /** Gives up what waits. */
  close(): void {
    this.#fail("the connection is closed");
    this.#deadlines.close();
  }

  /** What follows waits for itself. */
  readonly #expired = (batch: Batch): void => {
    this.#batches.delete(batch);
    if (this.#open === batch) this.#open = undefined;
  };

  #fail(reason: string): void {
    for (const batch of this.#batches) batch.fail(reason);
    this.#batches.clear();
    this.#open = undefined;
    this.#pinging = undefined;
  }

  #begin(): Batch {
    const batch = new Batch(this.#expired);
    this.#batches.add(batch);
    this.#deadlines.add(batch);
    if (this.#pinging === undefined) queueMicrotask(() => void this.#ping(batch));
    return batch;
  }

  /** Never rejects. */
  async #ping(batch: Batch): Promise<void> {
    // The connection was lost meanwhile, or another one goes first.
    if (!this.#batches.has(batch) || this.#pinging !== undefined) return;
    this.#pinging = batch;
    this.#open = undefined;
    const failure = await flush(this.#link.client);
    // What the server refuses is told before its answer, but the library tells of it a turn later.
    await new Promise<void>(endOfTick);
    if (this.#pinging !== batch) return;
    this.#pinging = undefined;
    this.#batches.delete(batch);
    this.#deadlines.delete(batch);
    if (failure === undefined) batch.settle();
    else batch.fail(describe(failure));
    const next = this.#open;
    if (next !== undefined) void this.#ping(next);
  }
}

/** Returns why the server has not read what was sent; undefined where it has. */
async function flush(client: NatsConnection | undefined): Promise<unknown> {
  if (client === undefined) return new Error("the connection was lost");
  return await client.flush().catch((error) => error);
}
