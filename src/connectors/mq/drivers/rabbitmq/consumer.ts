/** Takes messages from one queue for as long as it is wanted, whatever happens to the channel. */
import type { Logger } from "../../../../contract/connector.ts";
import { setImmediate } from "node:timers";
import type { AsyncMessage, Channel } from "rabbitmq-client";
import type { Ledger } from "../../ledger.ts";
import { MessageEvent } from "../../message.ts";
import type { Settings } from "../../options.ts";
import type { Failure, Subscriptions } from "../../subscriptions.ts";
import { InFlight } from "../../../../base/in-flight.ts";
import { shown } from "../../../../base/shown.ts";
import { type Delivery, readDelivery } from "./delivery.ts";
import { forDeadLetters, forRetry } from "./forwarding.ts";
import { describe, type Link } from "./link.ts";
import { type Publisher, UnsendableError } from "./publisher.ts";
import { withContentType } from "./reading.ts";
import { declareDeadLetters, declareQueue, declareWaitingRoom } from "./topology.ts";

/** Milliseconds between two tries to do what the broker has refused. */
const PAUSE = 1000;

/** What a consumer works with. */
export interface ConsumerContext {
  readonly link: Link;
  readonly settings: Settings;
  readonly subscriptions: Subscriptions;
  /** Sends messages to other queues; must confirm. */
  readonly mover: Publisher;
  readonly ledger: Ledger;
  readonly logger: Logger;
}

/** One message at work. */
interface Work {
  readonly channel: Channel;
  readonly deliveryTag: number;
  readonly delivery: Delivery;
}

/** Consumes from a named queue, or from a queue of its own that is new on each connection. */
export class Consumer {
  readonly #context: ConsumerContext;
  #channel: Channel | undefined;
  #consumerTag = "";
  #opening: Promise<void> | undefined;
  #reopening: ReturnType<typeof setTimeout> | undefined;
  #trouble: string | undefined;
  #opened = 0;
  #started = false;
  #stopped = false;
  readonly #inFlight = new InFlight();
  readonly #pauses = new Set<() => void>();

  /** Does nothing before `start`. */
  constructor(context: ConsumerContext) {
    this.#context = context;
  }

  /** Why it does not consume at the moment, although it should. */
  get trouble(): string | undefined {
    if (!this.#started || this.#stopped || this.#channel?.active) return undefined;
    return this.#trouble ?? "does not consume yet";
  }

  /** How often its own queue was lost, and with it what came before the next one stood. */
  get gaps(): number {
    return this.#context.settings.queue === undefined ? Math.max(0, this.#opened - 1) : 0;
  }

  /**
   * Begins to consume, now or as soon as there is a connection. `takesOver` where another process
   * has consumed before: a queue of its own was lost with it.
   */
  async start(takesOver = false): Promise<void> {
    this.#started = true;
    if (takesOver) this.#opened++;
    this.#context.link.onReady(() => void this.#open());
    await this.#open();
  }

  /** Takes no more messages; what waits for a retry waits no longer. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#reopening);
    for (const end of [...this.#pauses]) end();
    await this.#opening;
    const channel = this.#channel;
    if (channel?.active) {
      // Fails where the channel ends meanwhile, which is as good.
      await channel.basicCancel(this.#consumerTag).catch(() => undefined);
      // What arrived before the answer is handed over one turn later.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Waits for the messages at work. */
  async drain(): Promise<void> {
    await this.#inFlight.empty();
  }

  /** Lets go of the channel; the broker takes back what is still at work. */
  async close(): Promise<void> {
    await this.stop();
    await this.#channel?.close();
  }

  /** Never fails: what goes wrong is told and tried again; a lost connection calls when it is back. */
  #open(): Promise<void> {
    const away = this.#context.link.trouble !== undefined;
    if (away || this.#stopped || this.#channel?.active) return Promise.resolve();
    return this.#opening ??= this.#consume().catch((error) => {
      if (this.#trouble === undefined) this.#report("cannot consume: {reason}", error);
      this.#trouble = `cannot consume: ${describe(error)}`;
      this.#openLater();
    }).finally(() => this.#opening = undefined);
  }

  async #consume(): Promise<void> {
    const { link, settings, subscriptions: { operations } } = this.#context;
    const channel = await link.connection.acquire({ emitErrorsFromChannel: true });
    channel.on("error", (error) => this.#report("lost its channel: {reason}", error));
    channel.once("close", () => this.#openLater());
    // The broker has deleted the queue; a new channel declares it again.
    channel.once("basic.cancel", () => void channel.close());
    try {
      const queue = await declareQueue(channel, settings, operations);
      await channel.basicQos({ prefetchCount: settings.consumer.prefetch });
      const take = (message: AsyncMessage): void =>
        this.#take(channel, withContentType(message), queue);
      const { consumerTag } = await channel.basicConsume({ queue }, take);
      this.#consumerTag = consumerTag;
      this.#channel = channel;
      this.#trouble = undefined;
      if (++this.#opened > 1 && settings.queue === undefined) {
        this.#context.logger.warn(
          "has a new queue of its own: events since the former one was lost are missing",
        );
      }
    } catch (error) {
      await channel.close();
      throw error;
    }
  }

  #openLater(): void {
    if (this.#stopped) return;
    clearTimeout(this.#reopening);
    this.#reopening = setTimeout(() => void this.#open(), PAUSE);
  }

  #take(channel: Channel, message: AsyncMessage, queue: string): void {
    // What is not acked goes back to a named queue; one of its own has nobody else to take it.
    if (this.#stopped && this.#context.settings.queue !== undefined) return;
    const delivery = readDelivery(message, queue);
    const { deliveryTag } = message;
    const work = this.#handle({ channel, deliveryTag, delivery })
      .catch((error) => this.#giveBack(channel, deliveryTag, delivery, error));
    void this.#inFlight.add(work);
  }

  async #handle(work: Work): Promise<void> {
    const { settings: { queue, consumer }, subscriptions, ledger } = this.#context;
    const { channel, deliveryTag, delivery } = work;
    const { content, routingKey } = delivery;
    const { retryDelay, deadLetters } = consumer;
    for (let retries = delivery.retries;; retries++) {
      ledger.counts.consumed++;
      const failure = "reason" in content
        ? content
        : await subscriptions.deliver(new MessageEvent(content));
      if (failure === undefined) {
        channel.basicAck({ deliveryTag });
        ledger.counts.acked++;
        return;
      }
      const { permanent, maxRetries = consumer.maxRetries } = failure;
      if (permanent || retries >= maxRetries) return this.#giveUp(work, failure);
      // What no flow takes here may be for another consumer of the queue.
      const unwanted = failure.maxRetries !== undefined;
      if (queue !== undefined && (deadLetters !== undefined || unwanted)) {
        return this.#postpone(work, failure, retries + 1);
      }
      ledger.retried(routingKey, failure, this.#stopped ? 0 : retryDelay);
      await this.#pause(retryDelay);
      // A lost channel has given the message back to a named queue already.
      if (queue !== undefined && !channel.active) return;
      if (queue !== undefined && this.#stopped) return channel.basicNack({ deliveryTag });
    }
  }

  /** What nobody has foreseen: the message must not stay at work for ever. */
  async #giveBack(
    channel: Channel,
    deliveryTag: number,
    { routingKey }: Delivery,
    error: unknown,
  ): Promise<void> {
    const reason = describe(error);
    this.#context.logger.warn("message {routingKey} may come again: {reason}", {
      routingKey: shown(routingKey),
      reason,
    });
    await this.#pause(PAUSE);
    if (channel.active) channel.basicNack({ deliveryTag });
  }

  /** Lets the message wait in the broker, so that others go on meanwhile. */
  async #postpone(work: Work, failure: Failure, retries: number): Promise<void> {
    const { link, mover, ledger, settings: { consumer: { retryDelay } } } = this.#context;
    const { delivery, channel, deliveryTag } = work;
    const moved = await this.#move(work, async () => {
      const { envelope, body } = forRetry(delivery, failure.reason, retries);
      const routingKey = await declareWaitingRoom(link.connection, this.#queueName());
      const expiration = String(retryDelay);
      await mover.send({ ...envelope, exchange: "", routingKey, expiration }, body);
    });
    // It cannot wait anywhere, so this was its last attempt.
    if (moved instanceof Error) return this.#giveUp(work, failure);
    if (!moved) return;
    channel.basicAck({ deliveryTag });
    ledger.retried(delivery.routingKey, failure, retryDelay);
  }

  async #giveUp(work: Work, failure: Failure): Promise<void> {
    const { link, mover, ledger, settings: { consumer: { deadLetters } } } = this.#context;
    const { delivery, channel, deliveryTag } = work;
    const { routingKey } = delivery;
    if (deadLetters === undefined) {
      channel.basicNack({ deliveryTag, requeue: false });
      return ledger.discarded(routingKey, failure);
    }
    const { exchange, queue } = deadLetters;
    let leftOut: string | undefined;
    const moved = await this.#move(work, async () => {
      const letter = forDeadLetters(delivery, failure.reason);
      leftOut = letter.leftOut;
      await declareDeadLetters(link.connection, deadLetters);
      const target = { exchange, routingKey: exchange === "" ? queue : routingKey };
      await mover.send({ ...letter.envelope, ...target }, letter.body);
    });
    if (moved instanceof Error) {
      channel.basicNack({ deliveryTag, requeue: false });
      const reason = `${failure.reason}; it cannot be a dead letter: ${describe(moved)}`;
      return ledger.discarded(routingKey, { ...failure, reason });
    }
    if (!moved) return;
    channel.basicAck({ deliveryTag });
    const reason = leftOut === undefined
      ? failure.reason
      : `${failure.reason}; left out: ${leftOut}`;
    ledger.deadLettered(routingKey, { ...failure, reason }, queue);
  }

  /**
   * Acks the original once its copy is confirmed. Returns the error where the copy can never be sent,
   * and false where it could not be sent this time: then the original goes back to its queue.
   */
  async #move(
    { channel, deliveryTag, delivery }: Work,
    send: () => Promise<void>,
  ): Promise<boolean | Error> {
    try {
      await send();
      return true;
    } catch (error) {
      if (error instanceof UnsendableError) return error;
      this.#context.logger.warn("message {routingKey} could not be moved: {reason}", {
        routingKey: shown(delivery.routingKey),
        reason: describe(error),
      });
      await this.#pause(PAUSE);
      channel.basicNack({ deliveryTag });
      return false;
    }
  }

  #queueName(): string {
    return this.#context.settings.queue?.name ?? "";
  }

  /** Ends at once when the consumer stops. */
  #pause(milliseconds: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#pauses.delete(end);
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      this.#pauses.add(end);
    });
  }

  #report(message: string, error: unknown): void {
    this.#context.logger.warn(message, { reason: describe(error) });
  }
}
