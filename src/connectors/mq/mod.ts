/**
 * The `mq` connector: events through a message broker. `drivers/mod.ts` lists the brokers.
 *
 * May import base/, contract/, expression/ and messaging/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { attribute } from "../../contract/fields.ts";
import { oneOf } from "../../contract/value-schema.ts";
import { MessagingConnector, toPublication, untraced } from "../../messaging/mod.ts";
import { mqBackplane } from "./backplane.ts";
import { checkConnector, checkDestination } from "./connector-checks.ts";
import type { Driver } from "./driver.ts";
import { drivers } from "./drivers/mod.ts";
import { exchangeChecks } from "./exchanges.ts";
import { destinationFields, fields, type MqOptions } from "./options.ts";
import { loadPlayer } from "./playing.ts";

const driver = attribute(oneOf(Object.keys(drivers)), {
  about: "The broker: RabbitMQ, Redis, NATS, or one inside this process.",
  required: true,
});

/**
 * A message broker as source and destination: `driver = "rabbitmq"`, or `"memory"` for one inside
 * this process that routes and redelivers the same way. As with RabbitMQ, connectors that name the
 * same address and virtual host share exchanges and queues.
 *
 * A flow's `operation` is a pattern of routing keys (`*` one word, `#` any number, none for every
 * event), a destination's `target` is a routing key. A message is acked when all flows that take it
 * have succeeded; one that no flow takes is settled as the filters of the flows say.
 */
export const mqConnector: ConnectorType = defineConnector({
  fields: { driver, ...fields },
  // Where the name of the driver could not be read, nothing else of it is known.
  check: (options) => options.driver === undefined ? [] : checkConnector(options, drivers),
  telemetry: async () => (await import("./telemetry.ts")).telemetry,
  source: {
    kind: "messages",
    metadata: [...new Set(Object.values(drivers).flatMap(({ metadata }) => metadata))],
    check: (operation, options) => checksOf(options).checkOperation(operation, options),
    everyInstance: (_, options) => checksOf(options).everyInstance(options),
    receives: (operation, target, options) =>
      checksOf(options).receives(operation, target, options),
    receivesFrom: (operation, target, options, sender) =>
      target === undefined
        ? checksOf(options).receivesDeadLetters(options, sender, operation)
        : checksOf(options).receives(operation, target, options, sender),
    internal: (options) => checksOf(options).internal?.(options) ?? false,
  },
  destination: {
    fields: destinationFields,
    operations: [],
    publishes: true,
    check: ({ target, options: attributes }, options) => [
      ...checksOf(options).checkTarget(target, options),
      ...(options.driver === undefined ? [] : checkDestination(attributes, options, drivers)),
    ],
  },
  backplane: mqBackplane,
  files: ({ tls, creds }) =>
    [tls?.ca, tls?.cert, tls?.key, creds].filter((path) => path !== undefined)
      .map((path) => ({ path, kind: "file" })),
  /** A broker in memory plays the driver's. */
  test: (options) => ({ ...options, ...(options.driver !== "memory" && { played: true }) }),
  async create(options, context) {
    const { title, memory, load, consumer, matcher, checkHeaders } = drivers[options.driver];
    const { played }: MqOptions = options;
    if (played) context.played?.({ service: title, by: "a broker in memory" });
    const carriesHeaders = (checkHeaders?.(options) ?? []).length === 0;
    const { createBroker } = await (played ? loadPlayer(memory) : load());
    return new MessagingConnector({
      settings: consumer(options),
      matcher: (operation) => matcher(operation, options),
      createBroker: (broker) => createBroker(options, broker),
      toPublication: (request, longestKey) =>
        toPublication(context.name, longestKey, carriesHeaders ? request : untraced(request)),
    }, context);
  },
});

/** The checks of the driver; those that all drivers share where its name could not be read. */
function checksOf(
  { driver }: Pick<Partial<MqOptions>, "driver">,
): Omit<Driver, "title" | "load" | "memory"> {
  return driver === undefined ? exchangeChecks : drivers[driver];
}
