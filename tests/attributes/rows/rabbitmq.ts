/** The attributes of the `mq` connector that act in RabbitMQ, shown with a real broker. */
import type { SyncMessage } from "rabbitmq-client";
import { until } from "../../support/mq.ts";
import {
  type Blocks,
  type Broker,
  connection,
  Wire,
  withBroker,
  withConnector,
} from "../rabbitmq-support.ts";
import { overTls } from "../rabbitmq-tls.ts";
import type { Row } from "../row.ts";

const CA = 'ca = env("CA")';
const EXCHANGE = 'name = env("EXCHANGE")';
const QUEUE = 'name = env("QUEUE")';

/** How a connection ends, and what came through a port in front of the broker. */
function overWire(address: string) {
  return Wire.open(async (wire) => {
    const env = { PORT: wire.port, URL: `amqp://guest:guest@127.0.0.1:${wire.port}` };
    const end = await connection(address, env);
    return { end: end.replace(wire.port, "PORT"), protocol: wire.protocol, login: wire.login };
  });
}

/** A message that was published, as another consumer of both exchanges gets it. */
function published(
  blocks: Blocks,
  read: (message: SyncMessage, broker: Broker) => unknown,
): Promise<unknown> {
  return withBroker(async (broker) => {
    for (const exchange of [broker.exchange, broker.other]) await broker.declareExchange(exchange);
    const queue = await broker.listen(broker.exchange, broker.other, "amq.topic");
    const { env, key } = broker;
    return await withConnector({ consumes: false, ...blocks }, async ({ request }) => {
      await request("POST /events", { key });
      const message = await broker.take(queue);
      return message === undefined ? "no message" : read(message, broker);
    }, { env });
  });
}

/** What a queue gets that is bound with another key than the message has. */
function routed(exchange: string): Promise<unknown> {
  return withBroker(async (broker) => {
    const { env } = broker;
    return await withConnector({ exchange, consumes: false }, async ({ request }) => {
      const queue = await broker.listen(broker.exchange);
      await request("POST /events", { key: "elsewhere" });
      return (await broker.take(queue))?.routingKey ?? "no message";
    }, { env });
  });
}

/** How a caller is answered who publishes with a key that no queue takes. */
function answered(publisher: string): Promise<unknown> {
  return withBroker(async ({ env, key }) => {
    const blocks = { exchange: EXCHANGE, publisher, consumes: false };
    return await withConnector(blocks, async ({ request }) => {
      return (await request("POST /events", { key })).status;
    }, { env });
  });
}

/** How callers are answered before the exchange is there that is published to, and afterwards. */
function answeredTwice(publisher: string): Promise<unknown> {
  return withBroker(async (broker) => {
    const { env, key, other } = broker;
    const blocks = { publisher: `exchange = env("OTHER")\n${publisher}`, consumes: false };
    return await withConnector(blocks, async ({ request }) => {
      const before = await request("POST /events", { key });
      await broker.declareExchange(other);
      const after = await request("POST /events", { key });
      return { before: before.status, after: after.status };
    }, { env });
  });
}

/** What others see of the queue while the connector consumes. */
function standing(blocks: Blocks, look: (broker: Broker) => Promise<unknown>): Promise<unknown> {
  return withBroker((broker) =>
    withConnector({ exchange: EXCHANGE, ...blocks }, () => look(broker), { env: broker.env })
  );
}

/** What stands there when the connector has gone and one more event has come. */
function left(blocks: Blocks): Promise<unknown> {
  return withBroker(async (broker) => {
    const { env } = broker;
    await withConnector({ exchange: EXCHANGE, ...blocks }, () => Promise.resolve(), { env });
    await broker.publish(broker.exchange, "late");
    return await broker.look(broker.queue);
  });
}

/** The dead letter of an event whose flow fails: where it ends, and how it got there. */
function deadLetter(dlq: string): Promise<unknown> {
  const consumer = `dlq {\nmax_retries = 0\n${dlq}\n}`;
  return withBroker(async (broker) => {
    const { env, dead, queue } = broker;
    const reply = () => {
      throw new Error("always");
    };
    return await withConnector({ exchange: EXCHANGE, queue: QUEUE, consumer }, async () => {
      await broker.publish(broker.exchange, "poison");
      let found: readonly string[] = [];
      await until("the dead letter", async () => {
        for (const name of [dead, `${queue}.dlq`]) {
          if (!/^1 messages/.test(await broker.look(name))) continue;
          const { exchange = "", routingKey = "" } = await broker.take(name) ?? {};
          found = [name, exchange, routingKey].map((text) => broker.plain(text));
        }
        return found.length > 0;
      });
      return found;
    }, { env, reply });
  });
}

const DIRECT = { end: "connected", protocol: "nothing", login: undefined };
const THROUGH = { end: "connected", protocol: "AMQP", login: "guest guest" };

/** Each of them, with a scenario that it changes. */
export const rabbitmqRows: readonly Row[] = [
  {
    attribute: "connector mq/url",
    text: 'url = env("URL")',
    observe: overWire,
    without: DIRECT,
    with: THROUGH,
  },
  {
    attribute: "connector mq/host",
    text: 'host = "broker.invalid"',
    observe: (text) => connection(text, {}),
    without: "connected",
    with: "the broker broker.invalid:5672 is away",
  },
  {
    attribute: "connector mq/port",
    text: 'port = env("PORT")',
    observe: (text) => overWire(`host = "127.0.0.1"\n${text}`),
    without: DIRECT,
    with: THROUGH,
  },
  {
    attribute: "connector mq/username",
    text: 'username = "nobody"',
    observe: (text) => overWire(`host = "127.0.0.1"\nport = env("PORT")\n${text}`),
    without: THROUGH,
    with: { end: "ACCESS_REFUSED", protocol: "AMQP", login: "nobody guest" },
  },
  {
    attribute: "connector mq/password",
    text: 'password = "wrong"',
    observe: (text) => overWire(`host = "127.0.0.1"\nport = env("PORT")\n${text}`),
    without: THROUGH,
    with: { end: "ACCESS_REFUSED", protocol: "AMQP", login: "guest wrong" },
  },
  {
    attribute: "connector mq/vhost",
    text: 'vhost = "nowhere"',
    observe: (text) => connection(`host = "127.0.0.1"\n${text}`, {}),
    without: "connected",
    with: "NOT_ALLOWED",
  },
  {
    // The broker's port speaks no TLS.
    attribute: "connector mq/tls",
    text: "tls = true",
    observe: (text) => overWire(`host = "127.0.0.1"\nport = env("PORT")\n${text}`),
    without: THROUGH,
    with: { end: "the broker 127.0.0.1:PORT is away", protocol: "TLS", login: undefined },
  },
  {
    attribute: "connector mq/tls/ca",
    text: CA,
    observe: overTls,
    without: "shows a certificate that is refused",
    with: { name: null, known: false },
  },
  {
    attribute: "connector mq/tls/cert",
    text: 'cert = env("CERT")',
    observe: (text) => overTls(`${CA}\nkey = env("KEY")\n${text}`),
    without: ["missing-attribute"],
    with: { name: null, known: true },
  },
  {
    attribute: "connector mq/tls/key",
    text: 'key = env("KEY")',
    observe: (text) => overTls(`${CA}\ncert = env("CERT")\n${text}`),
    without: ["missing-attribute"],
    with: { name: null, known: true },
  },
  {
    attribute: "connector mq/tls/server_name",
    text: 'server_name = "localhost"',
    observe: (text) => overTls(`${CA}\n${text}`),
    without: { name: null, known: false },
    with: { name: "localhost", known: false },
  },
  {
    attribute: "connector mq/exchange/name",
    text: EXCHANGE,
    observe: (exchange) =>
      published({ exchange }, (message, broker) => broker.plain(message.exchange)),
    without: "amq.topic",
    with: "exchange",
  },
  {
    attribute: "connector mq/exchange/type",
    text: 'type = "fanout"',
    observe: (text) => routed(`${EXCHANGE}\n${text}`),
    without: "no message",
    with: "elsewhere",
  },
  {
    // Whether somebody else may declare it as a durable one.
    attribute: "connector mq/exchange/durable",
    text: "durable = false",
    observe: (text) =>
      standing(
        { exchange: `${EXCHANGE}\n${text}` },
        (broker) => broker.declareExchange(broker.exchange),
      ),
    without: "good",
    with: "PRECONDITION_FAILED",
  },
  {
    attribute: "connector mq/queue/name",
    text: `queue {\n${QUEUE}\n}`,
    observe: (text) => left(text === "" ? {} : { queue: QUEUE }),
    without: "NOT_FOUND",
    with: "1 messages, 0 consumers",
  },
  {
    attribute: "connector mq/queue/durable",
    text: "durable = false",
    observe: (text) =>
      standing({ queue: `${QUEUE}\n${text}` }, (broker) => broker.declareQueue(broker.queue)),
    without: "good",
    with: "PRECONDITION_FAILED",
  },
  {
    // Whether somebody else may declare it as a classic one.
    attribute: "connector mq/queue/type",
    text: 'type = "quorum"',
    observe: (text) =>
      standing({ queue: `${QUEUE}\n${text}` }, (broker) => broker.declareQueue(broker.queue)),
    without: "good",
    with: "PRECONDITION_FAILED",
  },
  {
    attribute: "connector mq/queue/exclusive",
    text: "exclusive = true",
    observe: (text) =>
      standing({ queue: `${QUEUE}\n${text}` }, (broker) => broker.look(broker.queue)),
    without: "0 messages, 1 consumers",
    with: "RESOURCE_LOCKED",
  },
  {
    attribute: "connector mq/queue/auto_delete",
    text: "auto_delete = true",
    observe: (text) => left({ queue: `${QUEUE}\n${text}` }),
    without: "1 messages, 0 consumers",
    with: "NOT_FOUND",
  },
  {
    attribute: "connector mq/consumer/queue",
    text: 'queue = env("QUEUE")',
    observe: (consumer) => standing({ consumer }, (broker) => broker.look(broker.queue)),
    without: "NOT_FOUND",
    with: "0 messages, 1 consumers",
  },
  {
    attribute: "connector mq/consumer/dlq/exchange",
    text: 'exchange = env("OTHER")',
    observe: (text) => deadLetter(`queue = env("DEAD")\n${text}`),
    without: ["dead", "", "dead"],
    with: ["dead", "other", "key"],
  },
  {
    attribute: "connector mq/consumer/dlq/queue",
    text: 'queue = env("DEAD")',
    observe: deadLetter,
    without: ["queue.dlq", "", "queue.dlq"],
    with: ["dead", "", "dead"],
  },
  {
    attribute: "connector mq/publisher/exchange",
    text: 'exchange = env("OTHER")',
    observe: (publisher) =>
      published(
        { exchange: EXCHANGE, publisher },
        (message, broker) => broker.plain(message.exchange),
      ),
    without: "exchange",
    with: "other",
  },
  {
    // Whether the message is one that a durable queue keeps on its disk.
    attribute: "connector mq/publisher/persistent",
    text: "persistent = false",
    observe: (publisher) =>
      published({ exchange: EXCHANGE, publisher }, ({ durable }) => Boolean(durable)),
    without: true,
    with: false,
  },
  {
    // Only a confirmation tells that a message went nowhere.
    attribute: "connector mq/publisher/confirms",
    text: "confirms = false",
    observe: answeredTwice,
    without: { before: 500, after: 204 },
    with: { before: 204, after: 204 },
  },
  {
    attribute: "connector mq/publisher/mandatory",
    text: "mandatory = true",
    observe: answered,
    without: 204,
    with: 500,
  },
];
