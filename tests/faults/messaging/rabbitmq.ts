/** RabbitMQ in the tests of faults, with both types of queues. */
import type { Broker } from "../broker.ts";
import { sharedBroker } from "../downstream.ts";
import { consumerOf, type Kind, type ServerKind } from "./kind.ts";

const server: ServerKind = {
  title: "RabbitMQ",
  service: "rabbitmq-server",
  open: sharedBroker,
  shared: true,
};

/** Queues of either type, which a topic exchange of the test's own fills. */
function queueOf(type: "classic" | "quorum"): Kind {
  return {
    title: `RabbitMQ's ${type} queues`,
    name: type,
    server,
    keeps: true,
    deadLetters: true,
    key: (_id, word) => word,
    connector: ({ id, port, consumes, ...consuming }) => `
      connector "${type}" {
        type   = "mq"
        driver = "rabbitmq"
        host   = "127.0.0.1"
        port   = ${port}
        exchange {
          name = "${id}"
          type = "topic"
        }
        ${
      consumes ? `queue {\n name = "${id}"\n${type === "classic" ? "" : 'type = "quorum"'}\n }` : ""
    }
        ${consumerOf(consuming)}
      }
    `,
    connect(found, id) {
      const broker = found as Broker;
      return Promise.resolve({
        publish: (routingKey, body) => broker.publish({ exchange: id, routingKey }, body),
        async waiting() {
          return await broker.count(id);
        },
        async letters() {
          const letters = [];
          for (;;) {
            const letter = await broker.take(`${id}.dlq`);
            if (letter === undefined) return letters;
            letters.push({ body: letter.body, headers: letter.headers ?? {} });
          }
        },
        close: () => broker.release(),
      });
    },
    async disconnect(found) {
      await (found as Broker).closeConnections();
    },
    removals: {},
    refusals: [],
  };
}

export const classic: Kind = queueOf("classic");
export const quorum: Kind = queueOf("quorum");
