/** How an MQTT broker routes, for the broker in memory that plays it in tests. It retains nothing. */
import { deadLetterHeaders } from "../../messaging/mod.ts";
import type { MemoryBinding, MemoryRouting } from "../../messaging/memory/mod.ts";
import { compileLevels, LONGEST_TOPIC } from "./filters.ts";
import { addressOf, consumerOf, type MqttOptions } from "./options.ts";
import { readPayload } from "./payload.ts";
import type { MqttPublication } from "./publication.ts";
import type { Routes } from "./routes.ts";
import { userPropertiesOf } from "./user-properties.ts";

/** All topics are in one place. */
const PLACES = ["topics"] as const;

const encoder = new TextEncoder();

/** What a connector with these options does. */
export function memoryRouting(
  options: MqttOptions,
  routes: Routes,
): MemoryRouting<MqttPublication> {
  const { format, protocol, qos: highest, consumer } = options;
  const dlq = consumer?.dlq;
  return {
    address: `mqtt ${addressOf(options)}`,
    longestKey: LONGEST_TOPIC,
    prefetch: consumerOf(options).prefetch,
    bindings: () =>
      routes.connections.flat().map(({ levels, group, subscription }): MemoryBinding => ({
        place: PLACES[0],
        matches: compileLevels(levels),
        // Each filter of a group is shared by itself.
        ...(group !== undefined && { group: subscription }),
      })),
    publish: ({ qos, headers }) => ({
      places: PLACES,
      properties: { qos },
      headers: userPropertiesOf(headers) ?? {},
    }),
    read: (body) => readPayload(encoder.encode(body), format),
    metadata: ({ routingKey, properties }, _key, headers) => ({
      _topic: routingKey,
      _qos: Math.min(Number(properties.qos), highest),
      _retained: false,
      headers: protocol === 5 ? headers : {},
    }),
    ...(dlq !== undefined && {
      deadLetter: ({ routingKey }, why, headers) => ({
        places: PLACES,
        key: dlq.topic,
        headers: protocol === 5
          ? userPropertiesOf({ ...headers, ...deadLetterHeaders({ routingKey }, why) }) ?? {}
          : {},
        properties: { qos: 1 },
      }),
    }),
  };
}
