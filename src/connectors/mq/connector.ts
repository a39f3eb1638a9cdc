/** An mq connector at work: writes are published, messages are handed to flows. */
import { ConnectorError } from "../../base/errors.ts";
import { messageOf, quoted } from "../../base/shown.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  WriteRequest,
} from "../../contract/connector.ts";
import { type Broker, type Driver, type DriverModule, UnsendableError } from "./broker.ts";
import { Deliveries } from "./deliveries.ts";
import { type MessageOptions, toPublication } from "./message.ts";
import { type MqOptions, settle } from "./options.ts";
import { Subscriptions } from "./subscriptions.ts";

/** A message broker as source and destination. */
export class MqConnector implements Connector {
  /** Absent where the broker has nothing to connect to. */
  readonly probe?: () => Promise<string>;
  readonly #context: ConnectorContext;
  readonly #broker: Broker;
  readonly #subscriptions: Subscriptions;
  readonly #deliveries: Deliveries;

  /** Connects when it is started. */
  constructor(
    driver: Driver,
    { createBroker }: DriverModule,
    options: MqOptions,
    context: ConnectorContext,
  ) {
    const { name, logger, clock, runtime, newId, cluster } = context;
    this.#context = context;
    this.#subscriptions = new Subscriptions(driver.matcher);
    this.#broker = createBroker(options, {
      name,
      logger,
      clock,
      runtime,
      newId,
      operations: this.#subscriptions.operations,
      consumesHere: () => this.#broker.capabilities.everyWorker || cluster?.leader !== false,
      lost: (key, reason) => this.#deliveries.discarded(key, reason),
    });
    const broker = this.#broker;
    if (broker.probe !== undefined) this.probe = broker.probe.bind(broker);
    this.#deliveries = new Deliveries({
      subscriptions: this.#subscriptions,
      settings: settle(options).consumer,
      capabilities: this.#broker.capabilities,
      logger,
      clock,
    });
  }

  subscribe(operation: string | undefined, handler: FlowHandler): void {
    this.#subscriptions.add(operation, handler);
  }

  /** Connects, and declares what takes no message from the service that this one replaces. */
  async prepare(): Promise<void> {
    await this.#broker.prepare?.();
  }

  /**
   * Connects and declares. A broker that is away is tried again in the background.
   *
   * @throws {ConnectorError} It never can: the broker refuses the credentials, or an exchange or queue
   * exists with other properties.
   */
  start(): Promise<void> {
    return this.#broker.open();
  }

  /** Begins to consume if there are flows: on every worker, or on the leader alone. */
  async consume(): Promise<void> {
    if (this.#subscriptions.operations.length === 0) return;
    const { cluster } = this.#context;
    const consume = (takesOver: boolean) =>
      this.#broker.consume((delivery) => this.#deliveries.handle(delivery), takesOver);
    const alone = cluster === undefined || this.#broker.capabilities.everyWorker;
    await (alone ? consume(false) : cluster.whenLeader(consume));
  }

  async stop(): Promise<void> {
    this.#deliveries.stop();
    await this.#broker.stop();
  }

  async drain(): Promise<void> {
    this.#deliveries.stop();
    await this.#broker.drain();
    await this.#deliveries.drain();
  }

  close(): Promise<void> {
    this.#deliveries.stop();
    return this.#broker.close();
  }

  /** Publishes. Returns, or resolves, once the broker has taken charge of the message. */
  write(request: WriteRequest<MessageOptions>): void | Promise<void> {
    const { capabilities: { longestKey } } = this.#broker;
    const message = toPublication(this.#context.name, longestKey, request);
    const published = (): void => void this.#deliveries.counts.published++;
    const failed = (cause: unknown): never => {
      throw this.#publishError(message.routingKey, cause);
    };
    let publishing: void | Promise<void>;
    try {
      publishing = this.#broker.publish(message);
    } catch (cause) {
      return failed(cause);
    }
    return publishing === undefined ? published() : publishing.then(published, failed);
  }

  health(): string | undefined {
    return this.#broker.health();
  }

  counts(): Readonly<Record<string, number>> {
    return { ...this.#deliveries.counts, ...this.#broker.counts() };
  }

  #publishError(routingKey: string, cause: unknown): ConnectorError {
    const reason = messageOf(cause);
    const message = `could not publish ${quoted(routingKey)}: ${reason}`;
    const permanent = cause instanceof UnsendableError;
    return new ConnectorError(this.#context.name, message, { cause, permanent });
  }
}
