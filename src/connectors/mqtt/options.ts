/** The attributes of an mqtt connector, and the settings that follow from them. */
import { expressionMap } from "../../contract/expression-fields.ts";
import { attribute, block, type Fields, type Values } from "../../contract/fields.ts";
import { clientTlsField } from "../../contract/tls-field.ts";
import { duration, flag, integer, oneOf, text } from "../../contract/value-schema.ts";
import type { ConsumerSettings } from "../../messaging/mod.ts";

/** How sure a delivery is: at most once, at least once, or with a handshake of four packets. */
export type Qos = 0 | 1 | 2;

/** The longest time that MQTT can say, in milliseconds: two bytes of seconds. */
const LONGEST_KEEP_ALIVE = 65_535_000;

const qos = (about: string) => attribute(integer({ max: 2 }), { about, default: 1 });

const will = {
  topic: attribute(text(), { about: "Where it is published.", required: true }),
  payload: attribute(text(), { about: "Its payload, sent as it is.", default: "" }),
  qos: qos("Its quality of service: 0, 1 or 2."),
  retain: attribute(flag(), {
    about: "Whether the broker keeps it for those that subscribe later.",
    default: false,
  }),
};

const dlq = {
  topic: attribute(text(), { about: "The topic of dead letters.", required: true }),
  max_retries: attribute(integer({ max: 1_000_000 }), {
    about: "Redeliveries after the first delivery before a message is a dead letter.",
    default: 3,
  }),
  retry_delay: attribute(duration(), {
    about: "How long a message waits before it is redelivered.",
    default: "1s",
  }),
};

const consumer = {
  prefetch: attribute(integer({ min: 1, max: 6553 }), {
    about:
      "How many messages a process handles at once; with 1 in one process they keep their order.",
    default: 10,
  }),
  dlq: block(dlq, {
    about:
      "Retries and dead letters; without it, a message that fails is redelivered twice, a second apart, and then discarded.",
  }),
};

/** The attributes and blocks of an mqtt connector. */
export const fields = {
  url: attribute(text(), {
    about: "Such as mqtt://host:1883; mqtts:// for TLS, ws:// and wss:// for WebSocket.",
    required: true,
  }),
  client_id: attribute(text({ maxLength: 200 }), {
    about:
      "The client id; a random suffix makes it unique to a connection, unless clean is false. " +
      "weir- and the connector's name by default.",
  }),
  username: attribute(text(), { about: "The user; the url may have it, too." }),
  password: attribute(text(), { about: "The user's password." }),
  tls: clientTlsField(),
  protocol: attribute(integer({ min: 4, max: 5 }), {
    about: "The version of MQTT: 5, or 4 for MQTT 3.1.1.",
    default: 5,
  }),
  clean: attribute(flag(), {
    about:
      "Whether each connection begins a session of its own. With false the broker keeps the messages for this client while it is away.",
    default: true,
  }),
  session_expiry: attribute(duration({ min: 1000, max: 2_073_600_000 }), {
    about: 'How long the broker keeps the session, where clean is false; "1d" by default.',
  }),
  keep_alive: attribute(duration({ min: 1000, max: LONGEST_KEEP_ALIVE }), {
    about:
      "How often the connection is tried when nothing is sent; it is given up after one and a half times that.",
    default: "10s",
  }),
  will: block(will, {
    about: "What the broker publishes when this client disappears without a goodbye.",
  }),
  qos: qos("The highest quality of service of what flows get: 0, 1 or 2."),
  format: attribute(oneOf(["json", "text"]), {
    about:
      "What payloads are: JSON, or text that is passed on as it is, such as ON or 21.5, in both directions.",
    default: "json",
  }),
  consumer: block(consumer, { about: "How messages are consumed." }),
} satisfies Fields;

/** The attributes of a `to` block. */
export const destinationFields = {
  headers: expressionMap({
    about: "User properties of the message, as texts; a list is one several times. MQTT 5 only.",
  }),
  qos: qos("The quality of service: 0 is sent once and not confirmed, 1 and 2 are confirmed."),
  retain: attribute(flag(), {
    about:
      "Whether the broker keeps it as the topic's last message, for those that subscribe later.",
    default: false,
  }),
} satisfies Fields;

/** The values of a `connector` block. */
export type MqttOptions = Values<typeof fields>;

/** The values of a `to` block. */
export type MqttDestination = Values<typeof destinationFields>;

/** Milliseconds that the broker keeps a session by default. */
export const SESSION_EXPIRY = 86_400_000;

/** How messages are consumed, with every default filled in. */
export function consumerOf({ consumer }: Pick<MqttOptions, "consumer">): ConsumerSettings {
  const dlq = consumer?.dlq;
  return {
    prefetch: consumer?.prefetch ?? 10,
    // Without a dlq block: three deliveries, a second apart.
    maxRetries: dlq?.max_retries ?? 2,
    retryDelay: dlq?.retry_delay ?? 1000,
    deadLetters: dlq && `dead-letter topic ${dlq.topic}`,
  };
}

/** How a broker is reached. */
export interface Endpoint {
  readonly webSocket: boolean;
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  /** For WebSocket, with its parameters; empty elsewhere. */
  readonly path: string;
}

/** The schemes of a url, and their ports without TLS and with it. */
export const PORTS: Readonly<Record<string, readonly [plain: number, secure: number]>> = {
  "mqtt:": [1883, 8883],
  "mqtts:": [8883, 8883],
  "ws:": [80, 443],
  "wss:": [443, 443],
};

/** The endpoint that a good url names. */
export function endpointOf({ url, tls }: Pick<MqttOptions, "url" | "tls">): Endpoint {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const webSocket = protocol.startsWith("ws");
  const secure = ["mqtts:", "wss:"].includes(protocol) || tls !== undefined;
  return {
    webSocket,
    secure,
    // An IPv6 address has brackets in a URL, but nowhere else.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? PORTS[protocol][secure ? 1 : 0] : Number(port),
    path: webSocket ? `${pathname}${search}` : "",
  };
}

/** The broker's address, which the options of other connectors may have, too. */
export function addressOf(options: Pick<MqttOptions, "url" | "tls">): string {
  const { host, port, path } = endpointOf(options);
  return `${host}:${port}${path}`;
}
