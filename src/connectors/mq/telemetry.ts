/** What traces say of an `mq` connector: the semantic conventions of messaging. */
import { serverAttributes, type SpanAttributes, type Telemetry } from "../../contract/telemetry.ts";
import { processSpan, publishSpan } from "../../messaging/telemetry.ts";
import { addressOf } from "./amqp-address.ts";
import { type MqOptions, settle } from "./options.ts";

/** The spans of messages that come and of those that are published. */
export const telemetry: Telemetry<MqOptions> = {
  event(operation, options, connector) {
    const pattern = operation ?? connector;
    if (options.driver !== "rabbitmq") {
      return processSpan(options.driver, pattern, serverOf(options));
    }
    const { exchange, queue } = settle(options);
    return processSpan("rabbitmq", pattern, serverOf(options), (key) => ({
      // As the conventions for RabbitMQ say: exchange, key and queue.
      "messaging.destination.name": [exchange.name, key, queue?.name]
        .filter(Boolean).join(":"),
      "messaging.rabbitmq.destination.routing_key": key,
    }));
  },
  request({ target }, options, connector) {
    const destination = target ?? connector;
    if (options.driver !== "rabbitmq") {
      return publishSpan(options.driver, destination, serverOf(options));
    }
    const { exchange } = settle(options).publisher;
    return publishSpan("rabbitmq", destination, serverOf(options), (key) => ({
      "messaging.destination.name": [exchange, key].filter(Boolean).join(":"),
      "messaging.rabbitmq.destination.routing_key": key,
    }));
  },
};

/** Nothing of a broker in memory, and of several servers. */
function serverOf(options: MqOptions): SpanAttributes {
  const { driver, url = [], host = "localhost", port } = options;
  if (driver === "memory" || url.length > 1) return {};
  if (driver === "rabbitmq") {
    const [{ hostname, port }] = addressOf(options).hosts;
    return { "server.address": hostname, "server.port": port };
  }
  const usual = driver === "redis" ? 6379 : 4222;
  if (url.length > 0) return serverAttributes(url[0], usual);
  return { "server.address": host, "server.port": port ?? usual };
}
