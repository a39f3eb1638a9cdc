/** The drivers, by the name that `driver` selects. Each has an entry here, and a folder if it connects. */
import type { Driver } from "../driver.ts";
import { exchangeRouting } from "../exchange-routing.ts";
import { exchangeChecks } from "../exchanges.ts";
import { loadPlayer } from "../playing.ts";
import { redisChecks } from "./redis/checks.ts";
import { natsChecks } from "./nats/checks.ts";

const exchanges = { ...exchangeChecks, memory: exchangeRouting };

/** Every driver. Its module is loaded when a connector uses it. */
export const drivers: Readonly<Record<string, Driver>> = {
  rabbitmq: {
    title: "RabbitMQ",
    ...exchanges,
    load: () => import("./rabbitmq/mod.ts"),
    backplane: { keeps: () => false, load: () => import("./rabbitmq/backplane/mod.ts") },
  },
  redis: {
    title: "Redis",
    ...redisChecks,
    load: () => import("./redis/mod.ts"),
    backplane: {
      keeps: () => true,
      remembers: true,
      load: () => import("./redis/backplane/mod.ts"),
    },
  },
  nats: {
    title: "NATS",
    ...natsChecks,
    load: () => import("./nats/mod.ts"),
    // Whether the server has JetStream, which keeps them, is not in the configuration.
    backplane: { keeps: () => true, load: () => import("./nats/backplane/mod.ts") },
  },
  memory: {
    title: "A broker in memory",
    ...exchanges,
    everyInstance: () => false,
    // With an address, memory is a substitute for a broker that others publish to.
    internal: ({ url, host }) => url === undefined && host === undefined,
    load: () => loadPlayer(exchangeRouting),
  },
};
