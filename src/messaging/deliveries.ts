/** Settles the messages that a broker delivers: acked, redelivered, or failed for good. */
import type { Clock } from "../base/clock.ts";
import { InFlight } from "../base/in-flight.ts";
import { messageOf, shown, shownWords } from "../base/shown.ts";
import type { Logger } from "../contract/connector.ts";
import type { DeliveryFailure, Subscriptions } from "../contract/subscriptions.ts";
import { type Capabilities, type DeadLetter, type Delivery, UnsendableError } from "./broker.ts";
import { MessageEvent } from "./message.ts";
import type { ConsumerSettings } from "./settings.ts";

/** Milliseconds before a message that could not be moved or settled is given back. */
const PAUSE = 1000;

/** Numbers since the start. */
export interface MessageCounts {
  /** Messages that the broker has accepted. */
  published: number;
  /** Deliveries, repeated ones included. */
  consumed: number;
  /** Messages that all their flows have handled. */
  acked: number;
  /** Of the acked ones: messages that no flow's operation matches. */
  unrouted: number;
  /** Failed deliveries after which the message is redelivered. */
  retried: number;
  /** Messages that failed for good and are kept in the dead-letter queue. */
  dead_lettered: number;
  /** Messages that failed for good and are lost. */
  discarded: number;
}

/** What deliveries are handled with. */
export interface DeliveriesContext {
  readonly subscriptions: Subscriptions;
  readonly settings: ConsumerSettings;
  /** What the broker can do. */
  readonly capabilities: Capabilities;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Hands messages to the flows and settles them by the outcome. */
export class Deliveries {
  /** Numbers since the start. */
  readonly counts: MessageCounts = {
    published: 0,
    consumed: 0,
    acked: 0,
    unrouted: 0,
    retried: 0,
    dead_lettered: 0,
    discarded: 0,
  };
  /** The messages that are being handled. */
  readonly inFlight: InFlight = new InFlight();
  readonly #context: DeliveriesContext;
  /** Functions that end the wait of a message. */
  readonly #waits = new Set<() => void>();
  #stopping = false;

  /** Logs with the connector's logger. */
  constructor(context: DeliveriesContext) {
    this.#context = context;
  }

  /**
   * Handles one message. Returns nothing where it is settled already, else a promise that never
   * rejects.
   */
  handle(delivery: Delivery): void | Promise<void> {
    let failure: ReturnType<Subscriptions["deliver"]>;
    let settling: void | Promise<void>;
    try {
      failure = this.#attempt(delivery);
      if (failure instanceof Promise) return this.inFlight.add(this.#finish(delivery, failure));
      settling = this.#settle(delivery, failure, delivery.retries);
    } catch (error) {
      settling = Promise.reject(error);
    }
    if (settling === undefined) return;
    return this.inFlight.add(settling.catch((error) => this.#giveBack(delivery, error)));
  }

  /** Ends the wait of messages for another delivery. */
  stop(): void {
    this.#stopping = true;
    for (const end of [...this.#waits]) end();
  }

  /** Waits for the messages that are being handled. */
  drain(): Promise<void> {
    return this.inFlight.empty();
  }

  /**
   * Counts a message that no flow's operation matches: what was bound for a flow of an earlier
   * configuration, or sent straight to the queue. The first one is logged.
   */
  unrouted(key: string): void {
    if (this.counts.unrouted++ > 0) return;
    this.#context.logger.warn(
      "message {routingKey} is for no flow, and was acked; `unrouted` counts those that follow",
      { routingKey: shown(key) },
    );
  }

  /** Counts and logs messages that are lost; `routingKey` is that of the last one. */
  discarded(routingKey: string, reason: string, count = 1): void {
    this.counts.discarded += count;
    const message = count === 1
      ? "message {routingKey} was discarded: {reason}"
      : "{count} messages were discarded, the last one {routingKey}: {reason}";
    this.#context.logger.error(message, { routingKey: shown(routingKey), reason, count });
  }

  /** Runs the flows once. */
  #attempt({ content }: Delivery): ReturnType<Subscriptions["deliver"]> {
    this.counts.consumed++;
    return "reason" in content
      ? content
      : this.#context.subscriptions.deliver(new MessageEvent(content));
  }

  /** Settles a message whose flows have to be waited for. */
  async #finish(
    delivery: Delivery,
    running: Promise<DeliveryFailure | undefined>,
  ): Promise<void> {
    try {
      const settling = this.#settle(delivery, await running, delivery.retries);
      if (settling !== undefined) await settling;
    } catch (error) {
      await this.#giveBack(delivery, error);
    }
  }

  #settle(
    delivery: Delivery,
    failure: DeliveryFailure | undefined,
    retries: number,
  ): void | Promise<void> {
    if (failure === undefined) {
      delivery.ack();
      this.counts.acked++;
      return;
    }
    if (!this.#mayRetry(failure, retries)) return this.#giveUp(delivery, failure, retries);
    return this.#waitsInBroker(failure)
      ? this.#leaveToBroker(delivery, failure, retries)
      : this.#retryHere(delivery, failure, retries);
  }

  #mayRetry({ permanent, maxRetries }: DeliveryFailure, retries: number): boolean {
    return !permanent && retries < (maxRetries ?? this.#context.settings.maxRetries);
  }

  #waitsInBroker({ maxRetries }: DeliveryFailure): boolean {
    const { delays, keeps } = this.#context.capabilities;
    // A message that no flow takes here may be for another consumer of the queue.
    const refusedByFilter = maxRetries !== undefined;
    return delays || (keeps && refusedByFilter);
  }

  /** The message waits in the broker, so that other messages are handled meanwhile. */
  #leaveToBroker(
    delivery: Delivery,
    failure: DeliveryFailure,
    retries: number,
  ): void | Promise<void> {
    const { reason } = failure;
    const { settings: { retryDelay }, capabilities: { keeps } } = this.#context;
    // A message that exists in this process alone does not wait.
    const delay = this.#stopping && !keeps ? 0 : retryDelay;
    return this.#move(
      delivery,
      () => delivery.redeliver(reason, retries + 1, delay),
      () => this.#retried(delivery, reason, delay),
      // It cannot wait anywhere: no further attempt.
      () => this.#giveUp(delivery, failure, retries),
    );
  }

  /** The message waits at this consumer. A loop, since each call in a call would stay in memory. */
  async #retryHere(delivery: Delivery, first: DeliveryFailure, retries: number): Promise<void> {
    const { settings: { retryDelay }, capabilities: { keeps } } = this.#context;
    let failure: DeliveryFailure | undefined = first;
    do {
      this.#retried(delivery, failure.reason, this.#stopping ? 0 : retryDelay);
      await this.#wait(retryDelay);
      if (!delivery.held) return;
      if (this.#stopping && keeps) return delivery.requeue();
      failure = await this.#attempt(delivery);
      retries++;
    } while (
      failure !== undefined && this.#mayRetry(failure, retries) && !this.#waitsInBroker(failure)
    );
    return this.#settle(delivery, failure, retries);
  }

  #giveUp(
    delivery: Delivery,
    { reason, flows = [] }: DeliveryFailure,
    retries: number,
  ): void | Promise<void> {
    const { settings: { deadLetters }, clock } = this.#context;
    if (deadLetters === undefined) return this.#discard(delivery, reason);
    return this.#move(
      delivery,
      () => delivery.deadLetter({ reason, flows, retries, time: clock.now() }),
      ({ leftOut }: DeadLetter) => {
        const all = leftOut === undefined ? reason : `${reason}; left out: ${leftOut}`;
        this.#deadLettered(delivery, all, deadLetters);
      },
      (error) => this.#discard(delivery, `${reason}; it cannot be a dead letter: ${error.message}`),
    );
  }

  /**
   * Moves the message elsewhere. Calls `moved` then, and `unsendable` where it never can be moved.
   * Where it could not be moved this time, it goes back to the broker.
   */
  #move<T>(
    delivery: Delivery,
    move: () => T | Promise<T>,
    moved: (result: T) => void,
    unsendable: (error: UnsendableError) => void | Promise<void>,
  ): void | Promise<void> {
    const failed = (error: unknown): void | Promise<void> => {
      if (error instanceof UnsendableError) return unsendable(error);
      // The copy may have been confirmed before the broker took the message back.
      if (!delivery.held) return this.#giveBack(delivery, error);
      this.#warn("message {routingKey} could not be moved: {reason}", delivery, error);
      return this.#requeueLater(delivery);
    };
    let result: T | Promise<T>;
    try {
      result = move();
    } catch (error) {
      return failed(error);
    }
    return result instanceof Promise ? result.then(moved, failed) : moved(result);
  }

  /** After an unexpected error: the message must not be held for ever. */
  #giveBack(delivery: Delivery, error: unknown): Promise<void> {
    this.#warn("message {routingKey} may be redelivered: {reason}", delivery, error);
    return this.#requeueLater(delivery);
  }

  async #requeueLater(delivery: Delivery): Promise<void> {
    await this.#wait(PAUSE);
    if (delivery.held) delivery.requeue();
  }

  /** Ends at once when the connector stops. */
  #wait(milliseconds: number): Promise<void> {
    if (this.#stopping) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        this.#waits.delete(end);
        resolve();
      };
      const cancel = this.#context.clock.after(milliseconds, end);
      this.#waits.add(end);
    });
  }

  #discard(delivery: Delivery, reason: string): void {
    delivery.discard();
    this.discarded(delivery.routingKey, reason);
  }

  #retried({ routingKey }: Delivery, reason: string, delay: number): void {
    this.counts.retried++;
    this.#context.logger.warn(
      "message {routingKey} will be redelivered in {delay} ms: {reason}",
      { routingKey: shown(routingKey), delay, reason },
    );
  }

  #deadLettered({ routingKey }: Delivery, reason: string, deadLetters: string): void {
    this.counts.dead_lettered++;
    this.#context.logger.error(
      "message {routingKey} was moved to the {deadLetters}: {reason}",
      { routingKey: shown(routingKey), deadLetters, reason },
    );
  }

  #warn(message: string, { routingKey }: Delivery, error: unknown): void {
    const reason = messageOf(error);
    this.#context.logger.warn(message, {
      routingKey: shown(routingKey),
      reason: shownWords(reason),
    });
  }
}
