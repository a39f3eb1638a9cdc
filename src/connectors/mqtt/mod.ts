/**
 * The `mqtt` connector: events of devices and services by an MQTT broker.
 *
 * May import base/, contract/ and messaging/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import type { ConnectorContext, FlowHandler } from "../../contract/connector.ts";
import { type Broker, type BrokerContext, MessagingConnector } from "../../messaging/mod.ts";
import { checkDestination, checkOperation, checkOptions } from "./checks.ts";
import { compileLevels, filterProblem, readFilter } from "./filters.ts";
import { withMatch } from "./matched.ts";
import { addressOf, consumerOf, destinationFields, fields, type MqttOptions } from "./options.ts";
import { memoryRouting } from "./playing.ts";
import { type MqttPublication, type MqttWriteOptions, toMqttPublication } from "./publication.ts";
import { Routes } from "./routes.ts";

/**
 * An MQTT broker as source and destination. A flow's `operation` is a topic filter: `+` is one level,
 * `#` all that follow, `{name}` one level that expressions read as `match.name`, and `$share/group/`
 * before it lets the members of a group share the messages. A destination's `target` is a topic.
 */
export const mqttConnector: ConnectorType = defineConnector({
  fields,
  check: checkOptions,
  files: ({ tls }) =>
    [tls?.ca, tls?.cert, tls?.key].flatMap((path) =>
      path === undefined ? [] : [{ path, kind: "file" as const }]
    ),
  unshared: ({ clean }, operations) =>
    clean || operations.every((operation) => readFilter(operation).group !== undefined)
      ? undefined
      : "one session cannot have several clients: each operation needs $share/GROUP/ in front of it, " +
        "or clean = true",
  address: (options) =>
    options.clean || options.client_id === undefined
      ? undefined
      : `the session "${options.client_id}" of ${addressOf(options)}`,
  telemetry: async () => (await import("./telemetry.ts")).telemetry,
  source: {
    kind: "messages",
    metadata: ["body", "_topic", "_qos", "_retained", "headers"],
    matchNames: (operation) => isGood(operation) ? [...readFilter(operation).names.keys()] : [],
    check: checkOperation,
    everyInstance: (operation) => isGood(operation) && readFilter(operation).group === undefined,
    receives: (operation, target) => isGood(operation) && matches(operation, target),
    receivesFrom(operation, target, options, sender) {
      const topic = target ?? sender.consumer?.dlq?.topic;
      return topic !== undefined && isGood(operation) && sameBroker(options, sender) &&
        matches(operation, topic);
    },
  },
  destination: {
    fields: destinationFields,
    operations: [],
    publishes: true,
    check: checkDestination,
  },
  /** A broker in memory plays the real one. */
  test: (options) => ({ ...options, played: true }),
  async create(options: MqttOptions & { readonly played?: true }, context) {
    if (!options.played) {
      const { createBroker } = await import("./client/mod.ts");
      return new MqttConnector(options, context, createBroker);
    }
    context.played?.({ service: "MQTT", by: "a broker in memory" });
    const { MemoryBroker } = await import("../../messaging/memory/mod.ts");
    return new MqttConnector(
      options,
      context,
      (_, routes, broker) => new MemoryBroker(memoryRouting(options, routes), broker),
      true,
    );
  },
});

type CreateBroker = (
  options: MqttOptions,
  routes: Routes,
  context: BrokerContext,
) => Broker<MqttPublication>;

/** Gives flows their `match`. */
class MqttConnector extends MessagingConnector<MqttPublication, MqttWriteOptions> {
  readonly #routes: Routes;

  constructor(
    options: MqttOptions,
    context: ConnectorContext,
    createBroker: CreateBroker,
    oneConnection = false,
  ) {
    // The operations of the flows, which are subscribed later.
    let routes = new Routes([]);
    super({
      settings: consumerOf(options),
      matcher: (operation) => routes.matcher(operation),
      createBroker(broker) {
        routes = new Routes(broker.operations, oneConnection);
        return createBroker(options, routes, broker);
      },
      toPublication: (request) => toMqttPublication(context.name, options, request),
    }, context);
    this.#routes = routes;
  }

  override subscribe(operation: string | undefined, handler: FlowHandler): void {
    super.subscribe(operation, withMatch(operation, handler, (key) => this.#routes.topicOf(key)));
  }
}

function isGood(operation: string | undefined): boolean {
  return operation === undefined || filterProblem(operation) === undefined;
}

function matches(operation: string | undefined, topic: string): boolean {
  return compileLevels(readFilter(operation).levels)(topic);
}

function sameBroker(one: MqttOptions, other: MqttOptions): boolean {
  return URL.canParse(one.url) && URL.canParse(other.url) && addressOf(one) === addressOf(other);
}
