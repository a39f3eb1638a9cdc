/** The brokers of this machine as backplanes of services that tests make. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { Connection } from "rabbitmq-client";
import { BackplaneSubjects } from "../../src/connectors/mq/drivers/nats/backplane/subjects.ts";
import { found } from "../../src/connectors/mq/drivers/nats/topology.ts";
import { exchangeOf } from "../../src/connectors/mq/drivers/rabbitmq/backplane/names.ts";
import { SHARED_NATS } from "../support/nats.ts";

/** A broker of this machine. */
export interface Broker {
  readonly port: number;
  /** What stands for the fields of a connector. */
  options(port: number): Readonly<Record<string, unknown>>;
  /** Removes what stays there of a service. */
  clean(service: string): Promise<void>;
}

/** Every broker. */
export const brokers: Readonly<Record<"redis" | "nats" | "rabbitmq", Broker>> = {
  redis: {
    port: 6379,
    options: (port) => ({ driver: "redis", url: [`redis://127.0.0.1:${port}`] }),
    // Its keys end by themselves.
    clean: () => Promise.resolve(),
  },
  nats: {
    port: 4222,
    options: (port) => ({ driver: "nats", host: "127.0.0.1", port }),
    async clean(service) {
      const client = await connect({ servers: SHARED_NATS });
      const { streams } = await jetstreamManager(client);
      await found(streams.delete(new BackplaneSubjects(service).stream));
      await client.close();
    },
  },
  rabbitmq: {
    port: 5672,
    options: (port) => ({ driver: "rabbitmq", host: "127.0.0.1", port }),
    async clean(service) {
      const client = new Connection("amqp://guest:guest@127.0.0.1:5672");
      await client.exchangeDelete({ exchange: exchangeOf(service) });
      await client.close();
    },
  },
};
