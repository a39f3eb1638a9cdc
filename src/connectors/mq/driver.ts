/** The interface of drivers. A driver connects to one kind of message broker. */
import type { Backplane, BackplaneContext } from "../../contract/backplane.ts";
import type { CodedProblem } from "../../contract/definition.ts";
import type { Matcher } from "../../contract/subscriptions.ts";
import type { Expression } from "../../expression/mod.ts";
import type {
  Broker,
  BrokerContext,
  ConsumerSettings,
  MemoryRouting,
} from "../../messaging/mod.ts";
import type { MqOptions } from "./options.ts";

/** One kind of broker: how its configuration is checked, and how a broker is made. */
export interface Driver {
  /** Its name as people write it, such as `RabbitMQ`. */
  readonly title: string;
  /**
   * What it takes of a `connector` block, beside `driver`: names of attributes and blocks, and of
   * those in a block, such as `consumer.dlq.queue`.
   */
  readonly attributes: readonly string[];
  /** The attributes of a `to` block that it takes. */
  readonly destinationAttributes: readonly string[];
  /** The fields of `input` that its messages have beside those of their bodies. */
  readonly metadata: readonly string[];
  /** How messages are consumed. */
  consumer(options: MqOptions): ConsumerSettings;
  /** Checks a whole `connector` block whose attributes are its own. */
  check(options: MqOptions): readonly CodedProblem[];
  /** Checks the `operation` of a `from` block. */
  checkOperation(operation: string | undefined, options: MqOptions): readonly CodedProblem[];
  /** Checks the `target` of a `to` block. */
  checkTarget(
    target: string | Expression | undefined,
    options: MqOptions,
  ): readonly CodedProblem[];
  /** Checks a `to` block that has headers. Absent where they are always good. */
  checkHeaders?(options: MqOptions): readonly CodedProblem[];
  /** Compiles the `operation` of a `from` block; undefined means every event. */
  matcher(operation: string | undefined, options: MqOptions): Matcher;
  /**
   * Whether what is published to `target` reaches a flow on `operation` of the same connector, or of
   * another one, where `sender` has the options of the one that publishes.
   */
  receives(
    operation: string | undefined,
    target: string,
    options: MqOptions,
    sender?: MqOptions,
  ): boolean;
  /** Whether the dead letters of the connector with the options `sender` may reach a flow. */
  receivesDeadLetters(
    options: MqOptions,
    sender: MqOptions,
    operation: string | undefined,
  ): boolean;
  /** Whether every instance of a service hears what is published by itself, instead of one of them. */
  everyInstance(options: MqOptions): boolean;
  /** True where nothing outside of this process can publish. False where absent. */
  internal?(options: MqOptions): boolean;
  /** How its broker routes, for the broker in memory that plays it in tests. */
  memory(options: MqOptions): MemoryRouting;
  /** Loads the driver's module, and its client library with it. */
  load(): Promise<DriverModule>;
  /** Present where its broker can link the instances of a service. */
  readonly backplane?: BackplaneDriver;
}

/** How a broker links the instances of a service. */
export interface BackplaneDriver {
  /** True where its backplane has a `history`. */
  readonly remembers?: boolean;
  /** Whether its backplane has `keys`. */
  keeps(options: MqOptions): boolean;
  /** Loads the module of its backplane, and the client library with it. */
  load(): Promise<BackplaneModule>;
}

/** What the module of a driver's backplane exports. */
export interface BackplaneModule {
  /** Makes a backplane, which connects when it is opened. */
  createBackplane(options: MqOptions, context: BackplaneContext): Backplane;
}

/** What the `mod.ts` of a driver exports. */
export interface DriverModule {
  /** Makes a broker, which connects when it is opened. */
  createBroker(options: MqOptions, context: BrokerContext): Broker;
}
