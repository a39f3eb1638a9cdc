/** Takes messages from one queue until it is stopped, whatever happens to the channel. */
import { setImmediate } from "node:timers";
import type { AsyncMessage, Channel } from "rabbitmq-client";
import {
  type BrokerContext,
  type DeadLetter,
  type Deliver,
  type Delivery,
  type GivenUp,
  UnsendableError,
} from "../../../../messaging/mod.ts";
import type { Settings } from "../../options.ts";
import { type BrokerConnection, closeChannel } from "./connection.ts";
import { describe } from "./errors.ts";
import { withContentType } from "./frame-guard.ts";
import { deadLetterCopy, readMessage, type Received, retryCopy } from "./message.ts";
import type { Publisher } from "./publisher.ts";
import { declareDeadLetters, declareQueue, declareRetryQueue } from "./topology.ts";

/** Milliseconds between two attempts to consume. */
const PAUSE = 1000;

/** What a consumer works with. */
export interface ConsumerContext extends Pick<BrokerContext, "operations" | "logger" | "lost"> {
  readonly connection: BrokerConnection;
  readonly settings: Settings;
  /** Sends messages to other queues; must confirm. */
  readonly mover: Publisher;
}

/** Consumes from a named queue, or from a queue of its own that is new on each connection. */
export class Consumer {
  readonly #context: ConsumerContext;
  /** Whether the queue of a message is gone that came on this channel. */
  readonly #isGone = (channel: Channel): boolean =>
    this.#context.settings.queue === undefined && (this.#stopped || !channel.active);
  #deliver: Deliver | undefined;
  #channel: Channel | undefined;
  #consumerTag = "";
  #opening: Promise<void> | undefined;
  #reopening: ReturnType<typeof setTimeout> | undefined;
  #failure: string | undefined;
  #opened = 0;
  #stopped = false;

  /** Does nothing before `start`. */
  constructor(context: ConsumerContext) {
    this.#context = context;
  }

  /** Why it does not consume at the moment, although it should. */
  get health(): string | undefined {
    if (this.#deliver === undefined || this.#stopped || this.#channel?.active) return undefined;
    return this.#failure ?? "does not consume yet";
  }

  /** How often its own queue was lost, and with it what was published before the next one. */
  get gaps(): number {
    return this.#context.settings.queue === undefined ? Math.max(0, this.#opened - 1) : 0;
  }

  /**
   * Begins to consume, now or as soon as there is a connection. `takesOver` is true if another
   * process has consumed before. Its own queue, or its exclusive one, was lost with it.
   */
  async start(deliver: Deliver, takesOver: boolean): Promise<void> {
    this.#deliver = deliver;
    if (takesOver) this.#opened++;
    this.#context.connection.onReady(() => void this.#open());
    await this.#open();
  }

  /** Takes no more messages. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#reopening);
    await this.#opening;
    const channel = this.#channel;
    if (channel?.active) {
      // Fails where the channel ends meanwhile, which is as good.
      await this.#context.connection.answer(
        channel.basicCancel(this.#consumerTag),
        "ended its deliveries",
      ).catch(() => undefined);
      // What arrived before the answer is handed over one turn later.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Closes the channel; the broker takes back what was not settled. */
  async close(): Promise<void> {
    await this.stop();
    if (this.#channel !== undefined) await closeChannel(this.#channel);
  }

  /** Never fails: an error is logged, and it tries again; a new connection calls it as well. */
  #open(): Promise<void> {
    const away = this.#context.connection.health !== undefined;
    if (away || this.#stopped || this.#channel?.active) return Promise.resolve();
    return this.#opening ??= this.#consume().catch((error) => {
      if (this.#failure === undefined) this.#warn("failed to consume: {reason}", error);
      this.#failure = `failed to consume: ${describe(error)}`;
      this.#openLater();
    }).finally(() => this.#opening = undefined);
  }

  async #consume(): Promise<void> {
    const { connection, settings, operations, logger } = this.#context;
    const acquiring = connection.client.acquire({ emitErrorsFromChannel: true });
    const channel = await connection.answer(acquiring, "opened a channel");
    channel.on("error", (error) => this.#warn("lost its channel: {reason}", error));
    channel.once("close", () => this.#openLater());
    // The broker has deleted the queue; a new channel declares it again.
    channel.once("basic.cancel", () => void channel.close());
    try {
      const queue = await connection.answer(
        declareQueue(channel, settings, operations, connection.id),
        "declared the queue",
      );
      const take = (message: AsyncMessage): void =>
        this.#take(channel, withContentType(message), queue);
      const consuming = channel.basicQos({ prefetchCount: settings.consumer.prefetch })
        .then(() => channel.basicConsume({ queue }, take));
      this.#consumerTag = (await connection.answer(consuming, "begun to deliver")).consumerTag;
      this.#channel = channel;
      this.#failure = undefined;
      if (++this.#opened > 1 && settings.queue === undefined) {
        logger.warn("consumes from a new queue; events since the former one was lost are missing");
      }
    } catch (error) {
      await closeChannel(channel);
      throw error;
    }
  }

  #openLater(): void {
    if (this.#stopped) return;
    clearTimeout(this.#reopening);
    this.#reopening = setTimeout(() => void this.#open(), PAUSE);
  }

  #take(channel: Channel, message: AsyncMessage, queue: string): void {
    // What is not acked goes back to a named queue; a queue of its own has no other consumer.
    if (this.#stopped && this.#context.settings.queue !== undefined) return;
    const received = readMessage(message, queue);
    const { deliveryTag } = message;
    const delivery = new RabbitDelivery(
      received,
      channel,
      deliveryTag,
      this.#context,
      this.#isGone,
    );
    void this.#deliver?.(delivery);
  }

  #warn(message: string, error: unknown): void {
    this.#context.logger.warn(message, { reason: describe(error) });
  }
}

/** A message, which is settled on the channel that it came from. */
class RabbitDelivery implements Delivery {
  readonly #received: Received;
  readonly #channel: Channel;
  readonly #deliveryTag: number;
  readonly #context: ConsumerContext;
  readonly #isGone: (channel: Channel) => boolean;

  constructor(
    received: Received,
    channel: Channel,
    deliveryTag: number,
    context: ConsumerContext,
    isGone: (channel: Channel) => boolean,
  ) {
    this.#received = received;
    this.#channel = channel;
    this.#deliveryTag = deliveryTag;
    this.#context = context;
    this.#isGone = isGone;
  }

  get routingKey(): string {
    return this.#received.routingKey;
  }

  get retries(): number {
    return this.#received.retries;
  }

  get content(): Delivery["content"] {
    return this.#received.content;
  }

  /** A lost channel has given the message back to a named queue. */
  get held(): boolean {
    return this.#context.settings.queue === undefined || this.#channel.active;
  }

  ack(): void {
    if (this.#isForgotten) return;
    this.#context.connection.gather();
    this.#channel.basicAck({ deliveryTag: this.#deliveryTag });
  }

  requeue(): void {
    if (this.#isGone(this.#channel)) {
      this.#context.lost(this.routingKey, "it could not be moved, and its queue is gone");
    }
    if (this.#channel.active) this.#channel.basicNack({ deliveryTag: this.#deliveryTag });
  }

  discard(): void {
    if (this.#isForgotten) return;
    this.#channel.basicNack({ deliveryTag: this.#deliveryTag, requeue: false });
  }

  /** Acks the message once its copy in the retry queue is confirmed. */
  redeliver(reason: string, retries: number, delay: number): Promise<void> {
    return this.#redeliver(reason, retries, delay).catch(rethrow);
  }

  /** Acks the message once its copy in the dead-letter queue is confirmed. */
  deadLetter(why: GivenUp): Promise<DeadLetter> {
    return this.#deadLetter(why).catch(rethrow);
  }

  /** A queue of its own went with its channel: nobody has to hear what became of the message. */
  get #isForgotten(): boolean {
    return this.#context.settings.queue === undefined && !this.#channel.active;
  }

  async #redeliver(reason: string, retries: number, delay: number): Promise<void> {
    const { connection, mover, settings: { queue } } = this.#context;
    const { envelope, body } = retryCopy(this.#received, reason, retries);
    const routingKey = await connection.answer(
      declareRetryQueue(connection.client, queue?.name ?? ""),
      "declared the queue of retries",
    );
    const expiration = String(delay);
    await mover.send({ ...envelope, exchange: "", routingKey, expiration }, body);
    this.ack();
  }

  async #deadLetter(why: GivenUp): Promise<DeadLetter> {
    const { connection, mover, settings } = this.#context;
    const { deadLetters } = settings.consumer;
    const { envelope, body, leftOut } = deadLetterCopy(this.#received, why);
    if (deadLetters !== undefined) {
      const { exchange, queue } = deadLetters;
      const declaring = declareDeadLetters(connection.client, settings);
      await connection.answer(declaring, "declared the queue of dead letters");
      const routingKey = exchange === "" ? queue : this.routingKey;
      await mover.send({ ...envelope, exchange, routingKey }, body);
    }
    this.ack();
    return { leftOut };
  }
}

/** The client's own messages may be empty, or begin with "undefined: ". */
function rethrow(error: unknown): never {
  if (error instanceof UnsendableError) throw error;
  throw new Error(describe(error), { cause: error });
}
