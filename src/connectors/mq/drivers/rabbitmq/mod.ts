/** Events through RabbitMQ. */
import { quoted } from "../../../../base/shown.ts";
import { Buffer } from "node:buffer";
import type { Connection } from "rabbitmq-client";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  WriteRequest,
} from "../../../../contract/connector.ts";
import { ConnectorError } from "../../../../base/errors.ts";
import { Ledger } from "../../ledger.ts";
import type { MqOptions, Settings } from "../../options.ts";
import { type PublishOptions, toPublication } from "../../publication.ts";
import { type Address, addressOf, describeAddress } from "./address.ts";
import { Consumer } from "./consumer.ts";
import { describe, isHopeless, Link } from "./link.ts";
import { Publisher, UnsendableError } from "./publisher.ts";
import { declareExchange, declareQueue } from "./topology.ts";
import { Subscriptions } from "../../subscriptions.ts";

/** What works on one connection. */
interface Parts {
  readonly link: Link;
  /** For what flows publish. */
  readonly publisher: Publisher;
  /** For messages on their way to another queue. */
  readonly mover: Publisher;
  readonly consumer: Consumer;
}

/** A connection to a RabbitMQ broker as source and destination. */
export class RabbitMq implements Connector {
  readonly #settings: Settings;
  readonly #address: Address;
  readonly #context: ConnectorContext;
  readonly #ledger: Ledger;
  readonly #subscriptions = new Subscriptions();
  #parts: Parts | undefined;

  /** Connects when it is started. */
  constructor(settings: Settings, options: MqOptions, context: ConnectorContext) {
    this.#settings = settings;
    this.#address = addressOf(options);
    this.#context = context;
    this.#ledger = new Ledger(context.logger);
  }

  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#subscriptions.add(operation, handler);
  }

  /**
   * Connects and declares. A broker that is away is tried again in the background.
   *
   * @throws {ConnectorError} The broker refuses the credentials, or an exchange or queue stands with
   * other properties.
   */
  async start(): Promise<void> {
    const { name, logger } = this.#context;
    // On every connection: a broker that came late or lost its queues must not take events that
    // nobody keeps.
    const prepare = (connection: Connection) => this.#declare(connection);
    const link = new Link(this.#address, `weir ${name}`, logger, prepare);
    const parts = this.#makeParts(link);
    this.#parts = parts;
    const failure = await link.opened;
    if (failure === undefined) return;
    const reason = describe(failure);
    if (isHopeless(failure)) {
      this.#parts = undefined;
      await closeParts(parts);
      const options = { cause: failure, permanent: true };
      throw new ConnectorError(name, `cannot start: ${reason}`, options);
    }
    // Of a broker that is away the link has told.
    if (link.trouble === undefined) logger.warn("could not declare all: {reason}", { reason });
  }

  /**
   * Connects and lets go again; declares nothing.
   *
   * @throws {ConnectorError} The broker is away or refuses the credentials.
   */
  async probe(): Promise<string> {
    const { name, logger } = this.#context;
    const where = describeAddress(this.#address);
    const link = new Link(this.#address, `weir ${name}`, logger);
    const failure = await link.opened;
    await link.close();
    if (failure === undefined) return `the broker ${where} answers`;
    const verdict = isHopeless(failure) ? "refuses" : "is away";
    const message = `the broker ${where} ${verdict}: ${describe(failure)}`;
    throw new ConnectorError(name, message, { cause: failure });
  }

  async consume(): Promise<void> {
    if (this.#subscriptions.operations.length === 0) return;
    const start = async (takesOver: boolean) => await this.#parts?.consumer.start(takesOver);
    const { cluster } = this.#context;
    await (this.#isShared || cluster === undefined ? start(false) : cluster.whenLeader(start));
  }

  /** A queue with a name is all workers'; one that one connection alone can have is the leader's. */
  get #isShared(): boolean {
    const { queue } = this.#settings;
    return queue !== undefined && !queue.exclusive;
  }

  async stop(): Promise<void> {
    await this.#parts?.consumer.stop();
  }

  async drain(): Promise<void> {
    await this.#parts?.consumer.drain();
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts !== undefined) await closeParts(parts);
  }

  /** Publishes; resolves when the broker has confirmed it. */
  async write(request: WriteRequest<PublishOptions>): Promise<void> {
    const { name } = this.#context;
    const { routingKey, body, headers } = toPublication(name, request);
    if (this.#parts === undefined) throw new ConnectorError(name, "is not connected");
    const { exchange, persistent, mandatory } = this.#settings.publisher;
    try {
      await this.#parts.publisher.send({
        exchange,
        routingKey,
        headers,
        mandatory,
        durable: persistent,
        messageId: crypto.randomUUID(),
        contentType: "application/json",
      }, Buffer.from(body));
    } catch (cause) {
      const message = `could not publish ${quoted(routingKey)}: ${describe(cause)}`;
      throw new ConnectorError(name, message, {
        cause,
        permanent: cause instanceof UnsendableError,
      });
    }
    this.#ledger.counts.published++;
  }

  health(): string | undefined {
    return this.#parts?.link.trouble ?? this.#parts?.consumer.trouble;
  }

  counts(): Readonly<Record<string, number>> {
    return { ...this.#ledger.counts, gaps: this.#parts?.consumer.gaps ?? 0 };
  }

  #makeParts(link: Link): Parts {
    const { name: exchange, type, durable } = this.#settings.exchange;
    const { confirms, exchange: target } = this.#settings.publisher;
    // Another exchange than the connector's own belongs to somebody else, who declares it.
    const exchanges = target === exchange ? [{ exchange, type, durable }] : [];
    const publisher = new Publisher(link, { confirms, exchanges });
    const mover = new Publisher(link, { confirms: true });
    const consumer = new Consumer({
      link,
      mover,
      settings: this.#settings,
      subscriptions: this.#subscriptions,
      ledger: this.#ledger,
      logger: this.#context.logger,
    });
    return { link, publisher, mover, consumer };
  }

  /** A named queue stands from now on, so that what is published before `consume` is not lost. */
  async #declare(connection: Connection): Promise<void> {
    const { exchange, queue } = this.#settings;
    const { operations } = this.#subscriptions;
    const elsewhere = !this.#isShared && this.#context.cluster?.leader === false;
    if (queue === undefined || operations.length === 0 || elsewhere) {
      return declareExchange(connection, exchange);
    }
    await declareQueue(connection, this.#settings, operations);
  }
}

async function closeParts({ link, publisher, mover, consumer }: Parts): Promise<void> {
  await consumer.close();
  await publisher.close();
  await mover.close();
  await link.close();
}
