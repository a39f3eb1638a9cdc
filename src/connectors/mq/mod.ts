/**
 * The `mq` connector: events through a message broker. `drivers/mod.ts` lists the brokers.
 *
 * May import base/, contract/ and expression/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { attribute } from "../../contract/fields.ts";
import { oneOf } from "../../contract/value-schema.ts";
import type { Driver } from "./broker.ts";
import { MqConnector } from "./connector.ts";
import { drivers } from "./drivers/mod.ts";
import { destinationFields, fields } from "./options.ts";
import { exchangeChecks } from "./routing.ts";

const driver = attribute(oneOf(Object.keys(drivers)), {
  about: "The broker: RabbitMQ, or one inside this process.",
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
  check: (options) => checksOf(options).check(options),
  source: {
    kind: "messages",
    metadata: [...new Set(Object.values(drivers).flatMap(({ metadata }) => metadata))],
    check: (operation, options) => checksOf(options).checkOperation(operation, options),
    receives: (operation, target, options) =>
      checksOf(options).receives(operation, target, options),
    receivesFrom: (operation, target, options, sender) =>
      target === undefined
        ? checksOf(options).receivesDeadLetters(options, sender)
        : checksOf(options).receives(operation, target, options, sender),
    internal: (options) => checksOf(options).internal?.(options) ?? false,
  },
  destination: {
    fields: destinationFields,
    operations: [],
    publishes: true,
    check: ({ target }, options) => checksOf(options).checkTarget(target, options),
  },
  /** The memory broker routes and redelivers as RabbitMQ does, and takes its attributes. */
  test: (options) => ({ ...options, driver: "memory" }),
  async create(options, context) {
    const driver = drivers[options.driver];
    return new MqConnector(driver, await driver.load(), options, context);
  },
});

/** The checks of the driver; those that all drivers share where its name could not be read. */
function checksOf({ driver }: { readonly driver: string | undefined }): Omit<Driver, "load"> {
  return driver === undefined ? exchangeChecks : drivers[driver];
}
