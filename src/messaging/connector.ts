/** A connector over a broker: writes are published, messages are handed to flows. */
import { ConnectorError } from "../base/errors.ts";
import { messageOf, quoted } from "../base/shown.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  WriteRequest,
} from "../contract/connector.ts";
import type { Measured, Measures } from "../contract/metrics.ts";
import { type Matcher, Subscriptions } from "../contract/subscriptions.ts";
import { type Broker, type BrokerContext, UnsendableError } from "./broker.ts";
import { Deliveries } from "./deliveries.ts";
import type { MessageOptions, Publication } from "./message.ts";
import type { ConsumerSettings } from "./settings.ts";

/** How often the connection, or the process, may end while it has a message in hand. */
const LOST_DELIVERIES = 5;

/** What is made with one configuration. `P` is what is published, `O` the attributes of a `to` block. */
export interface MessagingDefinition<P extends Publication, O extends MessageOptions> {
  readonly settings: ConsumerSettings;
  /** Compiles the `operation` of a `from` block; undefined means every event. */
  matcher(operation: string | undefined): Matcher;
  /** Makes a broker, which connects when it is opened. */
  createBroker(context: BrokerContext): Broker<P>;
  /**
   * Makes a message of a write.
   *
   * @throws {ConnectorError} It never can be sent.
   */
  toPublication(request: WriteRequest<O>, longestKey: number): P;
}

/** A message broker as source and destination. */
export class MessagingConnector<P extends Publication, O extends MessageOptions>
  implements Connector, Measured {
  /** Absent where the broker has nothing to connect to. */
  readonly probe?: NonNullable<Connector["probe"]>;
  /** Present where a broker in memory plays the real one. */
  readonly receive?: (request: WriteRequest<O>) => boolean;
  readonly #context: ConnectorContext;
  readonly #toPublication: MessagingDefinition<P, O>["toPublication"];
  readonly #broker: Broker<P>;
  readonly #subscriptions: Subscriptions;
  readonly #deliveries: Deliveries;
  /** Messages that the broker has not taken charge of yet, and those that it did not take. */
  #outstanding = 0;
  #unpublished = 0;

  /** Connects when it is started. */
  constructor(definition: MessagingDefinition<P, O>, context: ConnectorContext) {
    const { name, logger, clock, runtime, newId, cluster } = context;
    const alone = context.hasBackplane || cluster === undefined;
    this.#context = context;
    this.#toPublication = definition.toPublication;
    this.#subscriptions = new Subscriptions(
      definition.matcher,
      ({ operation }) => this.#deliveries.unrouted(operation),
    );
    this.#broker = definition.createBroker({
      name,
      logger,
      clock,
      runtime,
      newId,
      worker: cluster?.worker,
      operations: this.#subscriptions.operations,
      consumesHere: () => alone || this.#broker.capabilities.everyWorker || cluster.leader,
      lost: (key, reason, count) => this.#deliveries.discarded(key, reason, count),
      mostRetries: () =>
        Math.max(definition.settings.maxRetries, this.#subscriptions.mostRequeues) +
        LOST_DELIVERIES,
    });
    const broker = this.#broker;
    if (broker.probe !== undefined) this.probe = broker.probe.bind(broker);
    if (broker.receive !== undefined) {
      const receive = broker.receive.bind(broker);
      this.receive = (request) => receive(this.#publicationOf(request));
    }
    this.#deliveries = new Deliveries({
      subscriptions: this.#subscriptions,
      settings: definition.settings,
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

  /**
   * Begins to consume if there are flows: on every worker, or on the leader alone. With a backplane
   * each worker is an instance like those on other machines.
   */
  async consume(): Promise<void> {
    if (this.#subscriptions.operations.length === 0) return;
    const { cluster, hasBackplane } = this.#context;
    const consume = (takesOver: boolean) =>
      this.#broker.consume((delivery) => this.#deliveries.handle(delivery), takesOver);
    const alone = cluster === undefined || hasBackplane ||
      this.#broker.capabilities.everyWorker;
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
  write(request: WriteRequest<O>): void | Promise<void> {
    const message = this.#publicationOf(request);
    const published = (): void => void this.#deliveries.counts.published++;
    const failed = (cause: unknown): never => {
      this.#unpublished++;
      throw this.#publishError(message.routingKey, cause);
    };
    let publishing: void | Promise<void>;
    try {
      publishing = this.#broker.publish(message);
    } catch (cause) {
      return failed(cause);
    }
    if (publishing === undefined) return published();
    this.#outstanding++;
    return publishing.finally(() => this.#outstanding--).then(published, failed);
  }

  health(): string | undefined {
    return this.#broker.health();
  }

  counts(): Readonly<Record<string, number>> {
    return { ...this.#deliveries.counts, ...this.#broker.counts() };
  }

  /** Beside its counts: what is on its way, what failed, and how often it connected again. */
  measures(): Measures {
    const { reconnects } = this.#broker;
    return {
      numbers: {
        handling: this.#deliveries.inFlight.count,
        outstanding: this.#outstanding,
        unpublished: this.#unpublished,
        ...(reconnects !== undefined && { reconnects }),
      },
    };
  }

  #publicationOf(request: WriteRequest<O>): P {
    return this.#toPublication(request, this.#broker.capabilities.longestKey);
  }

  #publishError(routingKey: string, cause: unknown): ConnectorError {
    const reason = messageOf(cause);
    const message = `could not publish ${quoted(routingKey)}: ${reason}`;
    const permanent = cause instanceof UnsendableError;
    return new ConnectorError(this.#context.name, message, { cause, permanent });
  }
}
