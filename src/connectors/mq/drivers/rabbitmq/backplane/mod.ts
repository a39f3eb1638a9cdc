/** RabbitMQ as the backplane of a service: one exchange, and a queue for each instance. */
import { AMQPError } from "rabbitmq-client";
import { ConnectorError } from "../../../../../base/errors.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import {
  type Backplane,
  type BackplaneCapabilities,
  type BackplaneContext,
  BackplaneError,
  type BackplaneListener,
} from "../../../../../contract/backplane.ts";
import { readTls, tlsOptions } from "../../../../../contract/tls-files.ts";
import { addressOf, describeAddress } from "../../../amqp-address.ts";
import { tryBackplane } from "../../../backplane-trial.ts";
import type { MqOptions } from "../../../options.ts";
import { BrokerConnection, PATIENCE as CLOSING } from "../connection.ts";
import { describe, isPermanent, limitIn } from "../errors.ts";
import { exchangeOf, grantOf, keyOf, queueOf } from "./names.ts";
import { PATIENCE } from "./sending.ts";
import { withoutExchange } from "./trials.ts";
import { Wire } from "./wire.ts";

/** Makes the backplane of one instance. */
export function createBackplane(options: MqOptions, context: BackplaneContext): Backplane {
  return new RabbitBackplane(options, context);
}

/** Milliseconds between two attempts to declare what it needs. */
const PAUSE = 1000;

class RabbitBackplane implements Backplane {
  readonly capabilities: BackplaneCapabilities = {
    echoes: true,
    // Each queue gets the messages of two channels in an order of its own.
    order: "sender",
    live: "reply",
    members: false,
  };
  readonly #options: MqOptions;
  readonly #context: BackplaneContext;
  /** What it is subscribed to, by routing key. */
  readonly #topics = new Map<string, string>();
  #connection: BrokerConnection | undefined;
  #listener: BackplaneListener | undefined;
  #wire: Wire | undefined;
  #opening: Promise<unknown> | undefined;
  #cancelOpening: (() => void) | undefined;
  /** The largest message in bytes, as far as is known. */
  #largest = Infinity;
  /** Whether the first attempt to open a wire has ended. */
  #tried = false;
  /** Why there is no wire. */
  #failure: string | undefined;
  #closed = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(options: MqOptions, context: BackplaneContext) {
    this.#options = options;
    this.#context = context;
  }

  async open(listener: BackplaneListener): Promise<void> {
    const connect = await this.#connecting();
    if (this.#closed) return;
    this.#listener = listener;
    const connection = this.#connection = connect();
    connection.onReady(() => void this.#open(connection));
    // The library never ends an attempt that is closed meanwhile.
    const attempt = await Promise.race([connection.opened, this.#ended.promise]);
    const failure = attempt ?? await this.#open(connection);
    if (!isPermanent(failure)) return;
    await this.close();
    const where = describeAddress(addressOf(this.#options));
    const isRefused = failure instanceof AMQPError && failure.code === "ACCESS_REFUSED" &&
      / access to /.test(failure.message);
    const hint = isRefused ? `; ${grantOf(this.#context.service)}` : "";
    this.#fail(`cannot start: the broker ${where}: ${describe(failure)}${hint}`, failure);
  }

  async probe(): Promise<string> {
    const connection = (await this.#connecting())();
    try {
      await connection.opened;
      const { service, clock } = this.#context;
      const work = () => tryBackplane(this, this.#context);
      return await withoutExchange(connection, exchangeOf(service), clock, work);
    } finally {
      await connection.close();
    }
  }

  /** Reads the certificates. Returns what connects. */
  async #connecting(): Promise<() => BrokerConnection> {
    const { name, instance, logger } = this.#context;
    const address = addressOf(this.#options);
    const tls = address.tls &&
      tlsOptions(await readTls(address.tls, (message) => this.#fail(message)));
    const shown = `weir ${name} backplane ${instance}`;
    return () => new BrokerConnection({ address, tls, name: shown, logger });
  }

  #fail(message: string, cause?: unknown): never {
    throw new ConnectorError(this.#context.name, message, { cause, permanent: true });
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    const { sender } = this.#need();
    if (message.length > this.#largest) throw tooLarge(message.length, this.#largest);
    try {
      await sender.send(keyOf(topic), message);
    } catch (error) {
      const limit = error instanceof BackplaneError ? limitIn(error.cause) : undefined;
      // The broker has closed the channel over it. The next one is not sent at all.
      if (limit !== undefined) this.#largest = limit;
      throw error;
    }
  }

  async subscribe(topics: readonly string[]): Promise<void> {
    const { bindings } = this.#need();
    const keys = topics.map(keyOf);
    // Before the broker answers, messages may arrive.
    for (const [i, key] of keys.entries()) this.#topics.set(key, topics[i]);
    try {
      await bindings.add(keys, PATIENCE);
    } catch (error) {
      this.unsubscribe(topics);
      if (error instanceof BackplaneError) throw error;
      throw new BackplaneError(describe(error), { cause: error });
    }
  }

  unsubscribe(topics: readonly string[]): void {
    const keys = topics.map(keyOf).filter((key) => this.#topics.delete(key));
    this.#wire?.bindings.remove(keys);
  }

  health(): string | undefined {
    const connection = this.#connection;
    if (connection === undefined) return "not connected";
    if (connection.health !== undefined || this.#wire !== undefined) return connection.health;
    return this.#failure ?? "the broker has not answered yet";
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#ended.resolve();
    this.#cancelOpening?.();
    this.#listener = undefined;
    const connection = this.#connection;
    const wire = this.#wire;
    this.#connection = undefined;
    this.#wire = undefined;
    await this.#opening;
    if (wire !== undefined) await withTimeout(wire.close(), CLOSING, () => undefined);
    await connection?.close();
  }

  #need(): Wire {
    const health = this.health();
    if (health !== undefined || this.#wire === undefined) {
      throw new BackplaneError(health ?? "not connected");
    }
    return this.#wire;
  }

  /** Declares what it needs on this connection. Returns why it cannot, if it cannot. Never rejects. */
  #open(connection: BrokerConnection): Promise<unknown> {
    if (this.#closed || this.#wire !== undefined || connection.health !== undefined) {
      return Promise.resolve();
    }
    return this.#opening ??= this.#declare(connection).then(
      () => undefined,
      (error) => {
        this.#failed(connection, error);
        return error;
      },
    ).finally(() => {
      this.#opening = undefined;
      // A new connection calls it by itself, but one that came meanwhile has not.
      if (this.#wire === undefined) this.#openLater();
    });
  }

  #failed(connection: BrokerConnection, error: unknown): void {
    const reason = `the broker refuses what the backplane needs: ${describe(error)}`;
    // The caller of `open` throws what is permanent, and the connection says when it is lost.
    const isTold = (!this.#tried && isPermanent(error)) || connection.health !== undefined;
    if (!isTold && reason !== this.#failure) this.#context.logger.warn("{reason}", { reason });
    this.#failure = reason;
    this.#tried = true;
  }

  async #declare(connection: BrokerConnection): Promise<void> {
    const { service, instance, clock } = this.#context;
    const keys = [...this.#topics.keys()];
    const wire = await Wire.open({
      connection,
      clock,
      exchange: exchangeOf(service),
      queue: queueOf(service, instance, crypto.randomUUID()),
      keys,
      message: (key, body) => {
        const topic = this.#topics.get(key);
        if (topic !== undefined) this.#listener?.message(topic, body);
      },
      lost: (failure) => this.#lost(connection, failure),
    });
    if (this.#closed) return await wire.close();
    this.#wire = wire;
    this.#failure = undefined;
    this.#tried = true;
    wire.bindings.remove(keys.filter((key) => !this.#topics.has(key)));
    this.#listener?.up();
  }

  #lost(connection: BrokerConnection, failure: unknown): void {
    if (this.#wire === undefined) return;
    this.#wire = undefined;
    const cause = failure ?? new Error("somebody has closed it");
    const reason = connection.health ?? `the broker closed a channel: ${describe(cause)}`;
    this.#failure = reason;
    if (connection.health === undefined) connection.channelClosed(cause);
    this.#listener?.down(reason);
    this.#openLater();
  }

  #openLater(): void {
    if (this.#closed) return;
    this.#cancelOpening ??= this.#context.clock.after(PAUSE, () => {
      this.#cancelOpening = undefined;
      if (this.#connection !== undefined) void this.#open(this.#connection);
    });
  }
}

function tooLarge(size: number, largest: number): BackplaneError {
  return new BackplaneError(
    `a message has ${size} bytes, and the broker takes ${largest} (max_message_size)`,
  );
}
