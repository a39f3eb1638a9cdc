/** RabbitMQ as a broker. */
import { Buffer } from "node:buffer";
import { ConnectorError } from "../../../../base/errors.ts";
import { withTimeout } from "../../../../base/timeout.ts";
import type { ProbeRequest, ProbeSource } from "../../../../contract/probe.ts";
import type { Broker, BrokerContext, Capabilities, Deliver } from "../../../../messaging/mod.ts";
import type { Publication } from "../../../../messaging/mod.ts";
import { type MqOptions, type Settings, settle } from "../../options.ts";
import { LONGEST_KEY } from "../../exchanges.ts";
import { readTls, type TlsOptions, tlsOptions } from "../../../../contract/tls-files.ts";
import { type Address, addressOf, describeAddress } from "../../amqp-address.ts";
import { BrokerConnection, PATIENCE, type Prepare } from "./connection.ts";
import { Consumer } from "./consumer.ts";
import { describe, isPermanent } from "./errors.ts";
import { findRefusals } from "./probe.ts";
import { Publisher } from "./publisher.ts";
import { declareExchange, declareQueue, declareUnbound } from "./topology.ts";

/** Makes a connection to a RabbitMQ broker. */
export function createBroker(options: MqOptions, context: BrokerContext): Broker {
  return new RabbitMq(options, context);
}

/** Milliseconds after which what is on its way is left behind: confirmations have their own deadline. */
const CLOSING = 2 * PATIENCE;

/** What works on one connection. */
interface Parts {
  readonly connection: BrokerConnection;
  /** For what flows publish. */
  readonly publisher: Publisher;
  /** For messages that move to another queue. */
  readonly mover: Publisher;
  readonly consumer: Consumer;
}

class RabbitMq implements Broker {
  readonly capabilities: Capabilities;
  readonly #settings: Settings;
  readonly #address: Address;
  readonly #context: BrokerContext;
  #parts: Parts | undefined;
  /** Between `prepare` and `open`. */
  #preparing = false;

  constructor(options: MqOptions, context: BrokerContext) {
    this.#settings = settle(options);
    this.#address = addressOf(options);
    this.#context = context;
    const { queue, consumer: { deadLetters } } = this.#settings;
    this.capabilities = {
      everyWorker: queue !== undefined && !queue.exclusive,
      keeps: queue !== undefined,
      // A queue without a dlq block has no retry queue beside it.
      delays: queue !== undefined && deadLetters !== undefined,
      longestKey: LONGEST_KEY,
    };
  }

  async prepare(): Promise<void> {
    this.#preparing = true;
    await this.#connect();
  }

  async open(): Promise<void> {
    if (!this.#preparing) return await this.#connect();
    this.#preparing = false;
    const parts = this.#parts;
    // A connection that is made later declares everything by itself.
    if (parts === undefined || parts.connection.health !== undefined) return;
    const { client, id } = parts.connection;
    await this.#judge(
      parts,
      await this.#declare(client, id).then(() => undefined, (error) => error),
    );
  }

  async #connect(): Promise<void> {
    // On every connection: a broker that came late or lost its queues must not take events that
    // no queue keeps.
    const prepare = (...on: Parameters<Prepare>) => this.#declare(...on);
    const connection = await this.#makeConnection(prepare);
    const parts = this.#makeParts(connection);
    this.#parts = parts;
    await this.#judge(parts, await connection.opened);
  }

  async #makeConnection(prepare?: Prepare): Promise<BrokerConnection> {
    const { name, logger } = this.#context;
    const tls = await this.#readTls();
    const shown = `weir ${name}`;
    return new BrokerConnection({ address: this.#address, tls, name: shown, logger, prepare });
  }

  async #readTls(): Promise<TlsOptions | undefined> {
    const { tls } = this.#address;
    if (tls === undefined) return undefined;
    return tlsOptions(
      await readTls(tls, (message) => {
        throw new ConnectorError(this.#context.name, message, { permanent: true });
      }),
    );
  }

  /** Throws a failure that another attempt cannot change, and logs any other. */
  async #judge(parts: Parts, failure: unknown): Promise<void> {
    if (failure === undefined) return;
    const { name, logger } = this.#context;
    const reason = describe(failure);
    if (isPermanent(failure)) {
      this.#parts = undefined;
      await closeParts(parts);
      const options = { cause: failure, permanent: true };
      throw new ConnectorError(name, `cannot start: ${reason}`, options);
    }
    // The connection has logged that the broker is away.
    if (parts.connection.health === undefined) {
      logger.warn("failed to declare exchanges and queues: {reason}", { reason });
    }
  }

  async probe(
    requests: readonly ProbeRequest[],
    sources: readonly ProbeSource[],
  ): Promise<string> {
    const where = describeAddress(this.#address);
    const connection = await this.#makeConnection();
    try {
      const failure = await connection.opened;
      if (failure !== undefined) {
        const verdict = isPermanent(failure) ? "refuses" : "is away";
        throw this.#error(`the broker ${where} ${verdict}: ${describe(failure)}`, failure);
      }
      const uses = { publishes: requests.length > 0, consumes: sources.length > 0 };
      const refusals = await findRefusals(connection, this.#settings, uses);
      if (refusals.length > 0) {
        throw this.#error(`the broker ${where} refuses: ${refusals.join("; ")}`);
      }
    } finally {
      await connection.close();
    }
    return `the broker ${where} answers`;
  }

  #error(message: string, cause?: unknown): ConnectorError {
    return new ConnectorError(this.#context.name, message, { cause });
  }

  publish({ routingKey, headers, body, messageId }: Publication): Promise<void> {
    if (this.#parts === undefined) return Promise.reject(new Error("not connected"));
    const { exchange, persistent, mandatory } = this.#settings.publisher;
    return this.#parts.publisher.send({
      exchange,
      routingKey,
      headers,
      mandatory,
      durable: persistent,
      messageId: messageId ?? crypto.randomUUID(),
      contentType: "application/json",
    }, Buffer.from(body));
  }

  async consume(deliver: Deliver, takesOver: boolean): Promise<void> {
    await this.#parts?.consumer.start(deliver, takesOver);
  }

  async stop(): Promise<void> {
    await this.#parts?.consumer.stop();
  }

  /** Does nothing: the broker keeps all messages. */
  drain(): Promise<void> {
    return Promise.resolve();
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts !== undefined) await closeParts(parts);
  }

  health(): string | undefined {
    return this.#parts?.connection.health ?? this.#parts?.consumer.health;
  }

  get reconnects(): number {
    return this.#parts?.connection.reconnects ?? 0;
  }

  counts(): Readonly<Record<string, number>> {
    return { gaps: this.#parts?.consumer.gaps ?? 0 };
  }

  #makeParts(connection: BrokerConnection): Parts {
    const { operations, logger, clock, lost } = this.#context;
    const { exchange } = this.#settings;
    const { confirms, exchange: target } = this.#settings.publisher;
    // An exchange other than the connector's own is declared by its owner.
    const declared = target === exchange.name ? { exchange } : {};
    const publisher = new Publisher(connection, { confirms, clock, ...declared });
    const mover = new Publisher(connection, { confirms: true, clock });
    const settings = this.#settings;
    const consumer = new Consumer({ connection, mover, settings, operations, logger, lost });
    return { connection, publisher, mover, consumer };
  }

  /** Declares a named queue already now, so that what is published before `consume` is kept. */
  async #declare(...[connection, id]: Parameters<Prepare>): Promise<void> {
    const { exchange, queue } = this.#settings;
    const { operations, consumesHere } = this.#context;
    if (this.#preparing && operations.length > 0) {
      return declareUnbound(connection, this.#settings);
    }
    if (queue === undefined || operations.length === 0 || !consumesHere()) {
      return declareExchange(connection, exchange);
    }
    await declareQueue(connection, this.#settings, operations, id);
  }
}

async function closeParts(parts: Parts): Promise<void> {
  // A broker that answers no more is left.
  await withTimeout(closeChannels(parts), CLOSING, () => undefined);
  await parts.connection.close();
}

async function closeChannels({ publisher, mover, consumer }: Parts): Promise<void> {
  await consumer.close();
  await publisher.close();
  await mover.close();
}
