/** An MQTT broker, by the client of the `mqtt` package. */
import { ConnectorError } from "../../../base/errors.ts";
import { randomId } from "../../../base/ids.ts";
import type { ProbeRequest, ProbeSource } from "../../../contract/probe.ts";
import {
  type Broker,
  type BrokerContext,
  type Capabilities,
  deadLetterHeaders,
  type Deliver,
  type GivenUp,
  Intake,
  type Pushed,
} from "../../../messaging/mod.ts";
import { LONGEST_TOPIC } from "../filters.ts";
import { consumerOf, type MqttOptions, type Qos, SESSION_EXPIRY } from "../options.ts";
import type { MqttPublication } from "../publication.ts";
import type { Routes } from "../routes.ts";
import { type ConnectionEvents, type Identity, MqttConnection } from "./connection.ts";
import { Consumer, type Received } from "./consumer.ts";
import { describe, isPermanent } from "./failure.ts";
import { Outage } from "./outage.ts";
import { readPayload } from "../payload.ts";
import { probe } from "./probe.ts";
import { Publisher } from "./publisher.ts";
import { type Address, findAddress } from "./streams.ts";

/** How many messages may wait for their acknowledgment, for each that is handled at once. */
const WINDOW = 10;

/** Makes a connection to a broker. */
export function createBroker(
  options: MqttOptions,
  routes: Routes,
  context: BrokerContext,
): Broker<MqttPublication> {
  return new Mqtt(options, routes, context);
}

/** A message that waits for its flows, with what a dead letter needs of it. */
interface Waiting extends Pushed {
  readonly payload: Uint8Array | undefined;
  readonly headers: Received["headers"];
}

class Mqtt implements Broker<MqttPublication> {
  readonly capabilities: Capabilities;
  readonly #options: MqttOptions;
  readonly #routes: Routes;
  readonly #context: BrokerContext;
  readonly #suffix: string;
  #address: Address | undefined;
  #outage: Outage | undefined;
  #publisher: Publisher | undefined;
  #consumers: readonly Consumer[] = [];
  #intake: Intake | undefined;

  constructor(options: MqttOptions, routes: Routes, context: BrokerContext) {
    this.#options = options;
    this.#routes = routes;
    this.#context = context;
    this.#suffix = (context.newId ?? randomId)().slice(0, 8);
    this.capabilities = {
      // The operations are known later.
      get everyWorker() {
        return routes.shared;
      },
      keeps: !options.clean,
      // One at a time keeps its order, also where one is repeated.
      delays: consumerOf(options).prefetch > 1,
      longestKey: LONGEST_TOPIC,
    };
  }

  /** Only finds out whether the broker takes this client: a session belongs to the other service. */
  async prepare(): Promise<void> {
    await this.#findAddress();
    const connection = this.#connect(this.#passing("check"), {});
    const failure = await connection.opened;
    await connection.close();
    this.#judge(failure);
  }

  async open(): Promise<void> {
    await this.#findAddress();
    const { operations, consumesHere } = this.#context;
    if (operations.length > 0 && consumesHere()) this.#openConsumers();
    else this.#openPublisher();
    const connections = [...this.#consumers, ...[this.#publisher ?? []].flat()]
      .map(({ connection }) => connection);
    const failures = await Promise.all(connections.map(({ opened }) => opened));
    const failure = failures.find(isPermanent);
    if (failure !== undefined) await this.close();
    this.#judge(failure);
  }

  async probe(
    requests: readonly ProbeRequest[],
    sources: readonly ProbeSource[],
  ): Promise<string> {
    const { where } = await this.#findAddress();
    const connection = this.#connect(this.#passing("check"), {});
    try {
      const failure = await connection.opened;
      if (failure !== undefined) {
        const verdict = isPermanent(failure) ? "refuses" : "is away";
        const message = `the broker ${where} ${verdict}: ${describe(failure)}`;
        throw new ConnectorError(this.#context.name, message, { cause: failure });
      }
      await probe(connection, this.#options.protocol, requests, sources);
      return `the broker ${where} answers`;
    } finally {
      await connection.close();
    }
  }

  publish(message: MqttPublication): void | Promise<void> {
    const { routingKey: topic, body: payload, qos, retain, headers } = message;
    const outgoing = { topic, payload, qos, retain, headers };
    const publisher = this.#publisher ?? this.#openPublisher();
    // The first messages wait for the connection that they need.
    if (!publisher.connection.tried) {
      return publisher.connection.opened.then(() => publisher.send(outgoing));
    }
    return publisher.send(outgoing);
  }

  async consume(deliver: Deliver, takesOver: boolean): Promise<void> {
    const { clock, lost } = this.#context;
    const { prefetch } = consumerOf(this.#options);
    const dlq = this.#options.consumer?.dlq;
    this.#intake = new Intake({
      prefetch,
      deliver,
      clock,
      lost,
      ...(dlq !== undefined && {
        deadLetter: (message, why) => this.#bury(message as Waiting, why, dlq.topic),
      }),
    });
    if (this.#consumers.length === 0) this.#openConsumers();
    await Promise.all(this.#consumers.map((consumer) => consumer.start(takesOver)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
    if (!this.#options.clean) this.#intake?.leave();
  }

  async drain(): Promise<void> {
    await this.#intake?.drain();
  }

  async close(): Promise<void> {
    const parts = [...this.#consumers, ...[this.#publisher ?? []].flat()];
    this.#consumers = [];
    this.#publisher = undefined;
    await Promise.all(parts.map((part) => part.close()));
  }

  health(): string | undefined {
    const reasons = this.#consumers.map(({ health }) => health);
    return reasons.find((reason) => reason !== undefined) ?? this.#publisher?.connection.health;
  }

  get reconnects(): number {
    return this.#outage?.ended ?? 0;
  }

  counts(): Readonly<Record<string, number>> {
    const gaps = this.#consumers.reduce((sum, consumer) => sum + consumer.gaps, 0);
    return { gaps, waiting: this.#intake?.waiting ?? 0 };
  }

  /** A failure that another attempt cannot change. */
  #judge(failure: unknown): void {
    if (failure === undefined || !isPermanent(failure)) return;
    const where = this.#address?.where;
    const message = `cannot start: the broker ${where}: ${describe(failure)}`;
    throw new ConnectorError(this.#context.name, message, { cause: failure, permanent: true });
  }

  async #findAddress(): Promise<Address> {
    const { name, logger } = this.#context;
    this.#address ??= await findAddress(this.#options, (message) => {
      throw new ConnectorError(name, message, { permanent: true });
    });
    this.#outage ??= new Outage(this.#address.where, logger);
    return this.#address;
  }

  #openPublisher(): Publisher {
    const alone = this.#context.operations.length === 0;
    const identity = { ...this.#passing("p"), ...(alone && { will: this.#will() }) };
    const publisher = new Publisher(
      (lost) => this.#connect(identity, { lost }),
      this.#context.clock,
    );
    this.#publisher = publisher;
    return publisher;
  }

  #openConsumers(): void {
    const { qos, protocol, clean, keep_alive: keepAlive } = this.#options;
    const { logger, clock } = this.#context;
    const window = WINDOW * consumerOf(this.#options).prefetch;
    this.#consumers = this.#routes.connections.map((filters, at) =>
      new Consumer({
        ...{ filters, qos: qos as Qos, protocol: protocol as 4 | 5, clean, window, keepAlive },
        ...{ logger, clock },
        take: (message) => this.#push(at, message),
        connect: (events) => this.#connect(this.#identity(at, window), events),
      })
    );
  }

  #push(connection: number, { topic, payload, qos, retained, headers, settled }: Received): void {
    const read = readPayload(payload, this.#options.format);
    const metadata = { _topic: topic, _qos: qos, _retained: retained, headers };
    const content = "reason" in read
      ? read
      : { key: this.#routes.keyOf(connection, topic), body: read.body, metadata };
    const message: Waiting = {
      routingKey: topic,
      content,
      size: payload.length,
      payload: this.#options.consumer?.dlq === undefined ? undefined : payload,
      headers,
      ...(settled !== undefined && { settled }),
    };
    this.#intake?.push(message);
  }

  /** Publishes a dead letter: the payload, and with MQTT 5 why it is one. */
  async #bury(
    { routingKey, payload = new Uint8Array(), headers: own }: Waiting,
    why: GivenUp,
    topic: string,
  ): Promise<Record<never, never>> {
    const publisher = this.#publisher ?? this.#openPublisher();
    await publisher.connection.opened;
    const headers = this.#options.protocol === 5
      ? { ...own, ...deadLetterHeaders({ routingKey }, why) }
      : {};
    await publisher.send({ topic, payload, qos: 1, retain: false, headers });
    return {};
  }

  #connect(identity: Identity, events: ConnectionEvents): MqttConnection {
    const [address, outage] = [this.#address, this.#outage];
    if (address === undefined || outage === undefined) throw new Error("not connected");
    return new MqttConnection({ address, identity, outage, clock: this.#context.clock, events });
  }

  /** Who a connection is whose session ends with it. */
  #passing(part: string): Identity {
    const { client_id = `weir-${this.#context.name}`, protocol, keep_alive } = this.#options;
    return {
      clientId: `${client_id}-${this.#suffix}-${part}`,
      protocol: protocol as 4 | 5,
      clean: true,
      keepAlive: Math.ceil(keep_alive / 1000),
      will: undefined,
      properties: undefined,
    };
  }

  /** Who the connection number `at` is that consumes. */
  #identity(at: number, receiveMaximum: number): Identity {
    const { client_id = `weir-${this.#context.name}`, clean, session_expiry } = this.#options;
    const { worker } = this.#context;
    // What stays the same over a restart, so that the session is found again.
    const lasting = worker === undefined ? client_id : `${client_id}-w${worker}`;
    const own = clean ? `${client_id}-${this.#suffix}` : lasting;
    const sessionExpiryInterval = Math.ceil((session_expiry ?? SESSION_EXPIRY) / 1000);
    return {
      ...this.#passing(""),
      clientId: at === 0 ? own : `${own}-${at + 1}`,
      clean,
      will: at === 0 ? this.#will() : undefined,
      properties: { receiveMaximum, ...(!clean && { sessionExpiryInterval }) },
    };
  }

  #will(): Identity["will"] {
    const { will } = this.#options;
    if (will === undefined) return undefined;
    const { topic, payload, qos, retain } = will;
    return { topic, payload: payload as unknown as never, qos: qos as Qos, retain };
  }
}
