/** RabbitMQ: a queue that a connector has alone, and named queues. */
import { Buffer } from "node:buffer";
import { Connection } from "rabbitmq-client";
import { consumer, type Consuming, type Kind, type Names, type Outside } from "./kind.ts";

const named = ({ group }: Names): string => `queue { name = "${group}" }`;

/** `queue` is its block, for a named one. */
function rabbitmq(queue?: (names: Names) => string): Kind {
  const dead = ({ group }: Names) => `"${group}.dlq"`;
  const exchange = (name: string) => `exchange { name = "${name}" }`;
  const attributes = (names: Names, consuming: Consuming) =>
    [
      exchange(names.id),
      queue?.(names) ?? "",
      consumer(consuming, queue === undefined ? `queue = ${dead(names)}` : ""),
    ].join("\n");
  return {
    driver: "rabbitmq",
    service: "rabbitmq",
    outside,
    attributes,
    letters: (names) => ({
      // The queue of dead letters is like that from which they come.
      attributes: `${exchange(`${names.id}.dead`)}\n${
        (queue ?? named)({ ...names, group: `${names.group}.dlq` })
      }`,
      operation: "#",
    }),
    key: (_names, name) => name,
    all: "#",
    patterns: [
      ["#", ["order", "order.new", "order.a.b", "bill.new"], []],
      ["order.*", ["order.new"], ["order", "order.a.b", "bill.new"]],
      ["order.#", ["order", "order.new", "order.a.b"], ["bill.new"]],
      ["*.new", ["order.new", "bill.new"], ["order", "order.a.b"]],
    ],
    separate: false,
    shared: queue !== undefined,
    keeps: queue !== undefined,
    delays: queue !== undefined,
    headers: (sent) => sent,
    metadata: ({ id }, name) => ({ routing_key: name, exchange: id }),
    ids: "shown",
    refusal: ({ id }) => ({
      attributes: `${exchange(id)}\npublisher { mandatory = true }`,
      reason: /: could not publish "nobody\.takes\.it\.now": /,
    }),
  };
}

async function outside(): Promise<Outside> {
  const client = new Connection("amqp://guest:guest@127.0.0.1:5672");
  client.on("error", () => undefined);
  await client.onConnect(5000);
  const publisher = client.createPublisher({ confirm: true });
  return {
    async send({ id }, routingKey, body) {
      await publisher.send({ exchange: id, routingKey }, Buffer.from(body));
    },
    async letters({ group }) {
      const found: Uint8Array[] = [];
      while (true) {
        const letter = await client.basicGet({ queue: `${group}.dlq`, noAck: true });
        if (letter === undefined) return found;
        found.push(letter.body);
      }
    },
    async clear({ id, group }) {
      for (const queue of [group, `${group}.dlq`, `${group}.retry`]) {
        await client.queueDelete({ queue });
      }
      for (const exchange of [id, `${id}.dead`]) await client.exchangeDelete({ exchange });
    },
    async close() {
      await publisher.close();
      await client.close();
    },
  };
}

/** Its kinds. */
export const rabbitmqKinds: Readonly<Record<string, Kind>> = {
  "RabbitMQ, a queue of its own": rabbitmq(),
  "RabbitMQ, a named queue": rabbitmq(named),
  "RabbitMQ, a quorum queue": rabbitmq(({ group }) =>
    `queue {\n name = "${group}"\n type = "quorum"\n}`
  ),
};
