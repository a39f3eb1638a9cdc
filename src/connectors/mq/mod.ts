/**
 * The `mq` connector: events through a message broker. A driver is loaded when a connector uses it.
 *
 * May import base/, contract/ and expression/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { checkOperation, checkOptions, comesBack, needsTarget } from "./checks.ts";
import { MemoryBroker } from "./drivers/memory/mod.ts";
import { METADATA } from "./message.ts";
import { destinationFields, fields, settle } from "./options.ts";
import { isTooLong } from "./topic.ts";

/**
 * A message broker as source and destination: `driver = "rabbitmq"`, or `"memory"` for one inside
 * this process that routes and repeats the same way.
 *
 * A flow's `operation` is a pattern of routing keys (`*` one word, `#` any number, none for every
 * event), a destination's `target` is a routing key. A message is acked when all flows that take it
 * have succeeded; one that no flow takes is settled as the filters say that saw it.
 */
export const mqConnector: ConnectorType = defineConnector({
  fields,
  check: (options) => checkOptions(options),
  source: {
    kind: "messages",
    metadata: METADATA,
    check: (operation, options) => checkOperation(operation, options),
    receives: (operation, target, options) => comesBack(operation, target, options),
    // With an address beside it, memory stands in for a broker that others publish to.
    internal: ({ driver, url, host }) =>
      driver === "memory" && url === undefined && host === undefined,
  },
  destination: {
    fields: destinationFields,
    operations: [],
    check({ target }, options) {
      if (target === undefined && needsTarget(options)) {
        return [{ message: "needs a target", hint: "the routing key of the event" }];
      }
      if (typeof target === "string" && isTooLong(target)) {
        return [{ attribute: "target", message: "has a target of more than 255 bytes" }];
      }
      return [];
    },
  },
  /** The memory broker routes and repeats as the others do, and takes their attributes. */
  test: (options) => ({ ...options, driver: "memory" as const }),
  async create(options, context) {
    const settings = settle(options);
    if (options.driver === "memory") return new MemoryBroker(settings, context);
    // On demand: its client library needs node: modules, which the core does without.
    const { RabbitMq } = await import("./drivers/rabbitmq/mod.ts");
    return new RabbitMq(settings, options, context);
  },
});
