/** Exchanges, queues and routing keys in memory: how RabbitMQ routes. */
import { quoted } from "../../base/shown.ts";
import {
  deadLetterHeaders,
  type MemoryBinding,
  type MemoryRouting,
  type MemoryTarget,
  type Publication,
  type Stamp,
} from "../../messaging/mod.ts";
import { addressKey } from "./amqp-address.ts";
import { bindingKeys, compilePattern, LONGEST_KEY } from "./exchanges.ts";
import { type MqOptions, settle } from "./options.ts";

/** The exchange that leads to each queue by its name. */
const STRAIGHT = "";

/** What a message has beside its body and headers. */
interface Parts extends Readonly<Record<string, unknown>> {
  /** The exchange that it was published to. */
  readonly exchange: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** How a connector with exchanges and queues routes. A place is an exchange. */
export function exchangeRouting(options: MqOptions): MemoryRouting {
  const { exchange: { name, type }, queue, consumer, publisher } = settle(options);
  const { deadLetters, prefetch } = consumer;
  const sentTo = (
    exchange: string,
    { messageId }: Publication,
    { time, newId }: Stamp,
  ): MemoryTarget => {
    const properties = {
      content_type: "application/json",
      delivery_mode: publisher.persistent ? 2 : 1,
      message_id: messageId ?? newId(),
      timestamp: Math.floor(time / 1000),
    };
    return { places: [exchange], properties: { exchange, properties } satisfies Parts };
  };
  return {
    address: `amqp ${addressKey(options)}`,
    longestKey: LONGEST_KEY,
    prefetch,
    bindings(operations) {
      // As with RabbitMQ, a connector without flows has no queue.
      if (operations.length === 0) return [];
      const bound: MemoryBinding[] = bindingKeys(type, operations).map((key) => ({
        place: name,
        matches: compilePattern(type === "fanout" ? "#" : key),
        queue: queue?.name,
      }));
      if (queue !== undefined) {
        bound.push({ place: STRAIGHT, matches: (key) => key === queue.name, queue: queue.name });
      }
      if (deadLetters !== undefined && deadLetters.exchange !== STRAIGHT) {
        const { exchange: place, queue } = deadLetters;
        bound.push({ place, matches: compilePattern("#"), queue, foreign: true });
      }
      return bound;
    },
    publish(message, stamp) {
      const { exchange, mandatory } = publisher;
      const reason = `no queue takes the routing key ${quoted(message.routingKey)}`;
      return {
        ...sentTo(exchange, message, stamp),
        required: mandatory ? { place: exchange, reason } : undefined,
      };
    },
    given: (message, stamp) => sentTo(name, message, stamp),
    deadLetter({ routingKey, properties: parts }, why, headers) {
      const { exchange: origin, properties } = parts as Parts;
      const { exchange, queue = "" } = deadLetters ?? { exchange: STRAIGHT };
      return {
        places: [exchange],
        key: exchange === STRAIGHT ? queue : routingKey,
        routingKey,
        headers: { ...headers, ...deadLetterHeaders({ routingKey, exchange: origin }, why) },
        properties: {
          // What was sent straight to a queue comes from it as it was published first.
          exchange: exchange === STRAIGHT ? origin : exchange,
          properties: { ...properties, delivery_mode: 2 },
        } satisfies Parts,
      };
    },
    metadata({ routingKey, properties: parts }, _key, headers) {
      const { exchange, properties } = parts as Parts;
      return { headers, routing_key: routingKey, exchange, properties };
    },
  };
}
