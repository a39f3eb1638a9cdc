/** What traces say of brokers: the semantic conventions of messaging. */
import type { SpanAttributes, SpanDescription } from "../contract/telemetry.ts";

/** Attributes of the messages with one routing key. */
export type DestinationAttributes = (key: string) => SpanAttributes;

const nameAlone: DestinationAttributes = (key) => ({ "messaging.destination.name": key });

/** The spans of flows that handle the messages of a pattern of routing keys. */
export function processSpan(
  system: string,
  pattern: string,
  server: SpanAttributes,
  attributesOf: DestinationAttributes = nameAlone,
): SpanDescription {
  return {
    name: `process ${pattern}`,
    kind: "consumer",
    attributes: {
      "messaging.system": system,
      "messaging.operation.name": "process",
      "messaging.operation.type": "process",
      "messaging.destination.template": pattern,
      ...server,
    },
    attributesOf,
  };
}

/** The spans of messages that are published. `destination` is the same for all of a block. */
export function publishSpan(
  system: string,
  destination: string,
  server: SpanAttributes,
  attributesOf: DestinationAttributes = nameAlone,
): SpanDescription {
  return {
    name: `publish ${destination}`,
    kind: "producer",
    attributes: {
      "messaging.system": system,
      "messaging.operation.name": "publish",
      "messaging.operation.type": "send",
      ...server,
    },
    attributesOf,
  };
}
