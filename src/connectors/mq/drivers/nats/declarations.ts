/** Keeps what a connector needs in JetStream: declares it, and makes it again where it has gone. */
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { BrokerContext } from "../../../../messaging/mod.ts";
import { type LinkListener, type NatsLink, PATIENCE } from "./connection.ts";
import { describe, isPermanent } from "./errors.ts";
import { coveringSubjects } from "./filters.ts";
import type { NatsSettings } from "./settings.ts";
import {
  declareConsumer,
  declareDeadLetters,
  declareStream,
  isRace,
  judged,
  StreamAwaitedError,
} from "./topology.ts";

/** Milliseconds between two attempts. */
const PAUSE = 1000;

/** The same while a stream is awaited that another connector makes at the start. */
const SHORT_PAUSE = 100;

/** How often it is awaited for a short time, before the log says that it is missing. */
const SHORT_PAUSES = 10;

/** A consumer that is there. */
export interface Ready {
  readonly client: NatsConnection;
  readonly stream: string;
  readonly consumer: string;
}

/** Declares on every connection, and when something is missing. */
export class Declarations implements LinkListener {
  readonly #link: NatsLink;
  readonly #settings: NatsSettings;
  readonly #context: BrokerContext;
  readonly #onReady: (ready: Ready) => void;
  #running: Promise<unknown> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #failure: string | undefined = "the stream has not been declared yet";
  /** Whether somebody waits who throws what is permanent. */
  #starting = true;
  /** How often a stream was missing that another connector makes. */
  #awaited = 0;
  #warned = false;
  /** Whether all was declared once: another version of the service may have changed it since. */
  #done = false;
  /** When the stream was made: one of the same name that was made later has other messages. */
  #created: string | undefined;
  /** All messages before this one were acked. */
  #floor: number | undefined;
  /** False while another service still consumes. */
  #complete: boolean;
  #closed = false;

  /** `onReady` hears whenever the consumer is there. Without `complete` only streams are declared. */
  constructor(
    link: NatsLink,
    settings: NatsSettings,
    context: BrokerContext,
    complete: boolean,
    onReady: (ready: Ready) => void,
  ) {
    this.#link = link;
    this.#settings = settings;
    this.#context = context;
    this.#complete = complete;
    this.#onReady = onReady;
    link.listen(this);
  }

  /** Why something that is needed is not there. */
  get health(): string | undefined {
    return this.#failure;
  }

  ready(): void {
    void this.ensure();
  }

  lost(): void {
    clearTimeout(this.#retry);
  }

  /** Declares what was left for later. Returns as `ensure`. */
  async finish(): Promise<unknown> {
    this.#complete = true;
    this.#starting = true;
    await this.#running;
    return await this.ensure();
  }

  /** Nobody waits any more: what fails is logged. */
  started(): void {
    this.#starting = false;
  }

  /**
   * Declares what is missing, once for all who ask. Returns why it failed; then it is tried again,
   * unless the start throws it.
   */
  ensure(): Promise<unknown> {
    clearTimeout(this.#retry);
    return this.#running ??= this.#attempt().finally(() => this.#running = undefined);
  }

  /** Notes how far the consumer is, so that it can go on there if it is deleted. */
  async note(): Promise<void> {
    const { client } = this.#link;
    const { stream, queue } = this.#settings;
    if (client === undefined || stream === undefined || queue === undefined) return;
    const manager = await this.#manager(client);
    const { ack_floor } = await manager.consumers.info(stream.name, queue);
    this.#floor = ack_floor.stream_seq;
  }

  /** Makes the stream of dead letters again. */
  async renewDeadLetters(): Promise<void> {
    const { deadLetters, stream } = this.#settings;
    if (deadLetters === undefined) return;
    const manager = await this.#manager(this.#link.need());
    await declareDeadLetters(manager, deadLetters, stream?.replicas, this.#context.logger);
  }

  /** Tries no more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
  }

  async #attempt(): Promise<unknown> {
    const { client } = this.#link;
    if (client === undefined || this.#closed) return undefined;
    const { logger } = this.#context;
    try {
      await this.#declare(client).catch((error) => {
        if (!isRace(error)) throw error;
        return this.#declare(client);
      });
    } catch (error) {
      const cause = judged(error, client.info?.jetstream === true);
      if (this.#closed) return cause;
      const reason = describe(cause);
      // The start throws it.
      if (this.#starting && isPermanent(cause)) return cause;
      const soon = cause instanceof StreamAwaitedError && !this.#done &&
        ++this.#awaited <= SHORT_PAUSES;
      if (!soon && (!this.#warned || !this.#failure?.endsWith(reason))) {
        this.#warned = true;
        logger.warn("failed to declare what it needs in JetStream: {reason}", { reason });
      }
      this.#failure = `failed to declare what it needs in JetStream: ${reason}`;
      this.#retry = setTimeout(() => void this.ensure(), soon ? SHORT_PAUSE : PAUSE);
      return cause;
    }
    if (this.#warned) logger.info("has what it needs in JetStream");
    this.#warned = false;
    this.#failure = undefined;
    return undefined;
  }

  async #declare(client: NatsConnection): Promise<void> {
    const { stream, queue, deadLetters, consumer: { prefetch } } = this.#settings;
    const { logger, operations } = this.#context;
    const manager = await this.#manager(client);
    const info = stream && await declareStream(manager, stream, !this.#done, logger);
    // The stream itself may take them.
    if (deadLetters !== undefined) {
      await declareDeadLetters(manager, deadLetters, stream?.replicas, logger);
    }
    if (stream === undefined || info === undefined) return;
    if (this.#created !== undefined && this.#created !== info.created) this.#floor = undefined;
    this.#created = info.created;
    if (!this.#complete) return;
    const change = !this.#done;
    if (queue === undefined || operations.length === 0) {
      this.#done = true;
      return;
    }
    const filters = operations.includes(undefined)
      ? []
      : coveringSubjects(operations.filter((operation) => operation !== undefined));
    const start = this.#floor === undefined ? undefined : this.#floor + 1;
    const settings = { stream: stream.name, name: queue, filters, prefetch };
    const found = await declareConsumer(manager, info, settings, { change, start }, logger);
    this.#floor = found.ack_floor.stream_seq;
    this.#done = true;
    if (this.#link.client === client) {
      this.#onReady({ client, stream: stream.name, consumer: queue });
    }
  }

  #manager(client: NatsConnection): Promise<JetStreamManager> {
    return jetstreamManager(client, { checkAPI: false, timeout: PATIENCE });
  }
}
