/** What tells an operator of faults of brokers and of other instances. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { brokers } from "../../docs/monitoring/faults.ts";
import { randomId } from "../../src/base/ids.ts";
import { runtime as tool } from "../faults/stage.ts";
import { openStage } from "../support/process.ts";
import { SHARED, withRedis } from "../support/redis.ts";
import { until } from "../support/socket-probe.ts";
import { type Bench, type Cause, symptomTests } from "../support/symptoms.ts";
import { WebClient } from "../support/web-client.ts";
import type { Kind } from "./broker-cases/kind.ts";
import { rabbitmqKinds } from "./broker-cases/rabbitmq.ts";
import { Sink } from "./metrics-support.ts";

const newNames = () => {
  const id = `weir-test-${randomId().slice(0, 8)}`;
  return { id, group: `${id}-group` };
};

/** A connector "bus" of a driver. */
const bus = (driver: string, port: number, rest = "") => `
  connector "bus" {
    type   = "mq"
    driver = "${driver}"
    host   = "127.0.0.1"
    port   = ${port}
    ${rest}
  }
`;

/** A flow from the broker to the sink. */
const work = (operation: string) => `
  connector "sink" {
    type = "sink"
  }
  flow "work" {
    from {
      connector = "bus"
      operation = "${operation}"
    }
    to {
      connector = "sink"
    }
  }
`;

/** A broker that is away, and comes back. */
function away(
  needs: Cause["needs"],
  port: number,
  connector: (port: number) => string,
  fromStart = false,
): Cause {
  return {
    needs,
    async play(bench) {
      const proxy = await bench.proxy(port);
      if (fromStart) proxy.refuse();
      await bench.serve(connector(proxy.port));
      await bench.happens(() => {
        proxy.refuse();
        proxy.cut();
      });
      await bench.ends(() => proxy.accept());
    },
  };
}

/** A consumer of RabbitMQ, and what happens to it. */
function consuming(
  kind: Kind,
  dlq: string | undefined,
  act: (
    bench: Bench,
    parts: {
      readonly names: { readonly id: string; readonly group: string };
      readonly publish: (key: string, body: unknown) => Promise<void>;
      readonly proxy: Awaited<ReturnType<Bench["proxy"]>>;
    },
  ) => Promise<void>,
): Cause {
  return {
    needs: "rabbitmq",
    async play(bench) {
      const names = newNames();
      bench.onEnd(async () => {
        const outside = await kind.outside();
        await outside.clear(names);
        await outside.close();
      });
      const proxy = await bench.proxy(5672);
      const { connectors } = new Sink();
      const attributes = kind.attributes(names, { prefetch: 5, dlq });
      const config = bus(kind.driver, proxy.port, attributes) + work("order.new");
      const { runtime } = await bench.serve(config, connectors);
      const publish = (key: string, body: unknown) => runtime.publish(key, body);
      await act(bench, { names, publish, proxy });
    },
  };
}

const queue = rabbitmqKinds["RabbitMQ, a named queue"];

/** One of the instances of a service over Redis, and what else it has. */
const instance = (port: number, more = "") => `
  ${bus("redis", port)}
  connector "ws" {
    type      = "websocket"
    port      = 0
    backplane = "bus"
    room "kept:*" {
      history {
        size = 10
        ttl  = "1m"
      }
    }
  }
  flow "join" {
    from {
      connector = "ws"
      operation = "join_room"
    }
  }
  ${more}
`;

/** A flow to all clients but those for which the environment decides. */
const filtering = (variable: string) => `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  flow "news" {
    from {
      connector = "events"
      operation = "news"
    }
    to {
      connector = "ws"
      operation = "broadcast"
      filter    = "client.user_id != env('${variable}')"
    }
  }
`;

/** The line of the `service` block that makes instances one service. */
const named = (name: string) => `name = "${name}"`;

await symptomTests(brokers, {
  "RabbitMQ is away": away("rabbitmq", 5672, (port) => bus("rabbitmq", port)),
  "Redis is away": away("redis", 6379, (port) => bus("redis", port)),
  "NATS is away": away("nats", 4222, (port) => bus("nats", port)),
  "an MQTT broker is away": away("mosquitto", 1883, (port) => `
    connector "bus" {
      type = "mqtt"
      url  = "mqtt://127.0.0.1:${port}"
    }
  `),
  "RabbitMQ is away when the service starts": away(
    "rabbitmq",
    5672,
    (port) => bus("rabbitmq", port),
    true,
  ),
  "a message fails for good, and there is a `dlq`": consuming(
    queue,
    'max_retries = 1\nretry_delay = "20ms"',
    (bench, { publish }) => bench.happens(() => publish("order.new", { do: "fail" })),
  ),
  "a message fails for good, and there is no `dlq`": consuming(
    queue,
    undefined,
    (bench, { publish }) => bench.happens(() => publish("order.new", { do: "die" })),
  ),
  "a message is for no flow": consuming(queue, undefined, async (bench, { names }) => {
    const outside = await queue.outside();
    // Straight to the queue, by the exchange without a name.
    await bench.happens(() => outside.send({ ...names, id: "" }, names.group, Uint8Array.of(49)));
    await outside.close();
  }),
  "messages are missed, since the queue has no name": consuming(
    rabbitmqKinds["RabbitMQ, a queue of its own"],
    undefined,
    (bench, { proxy }) => bench.happens(() => proxy.cut()),
  ),
  "no queue takes a message, and the connector has `mandatory`": {
    needs: "rabbitmq",
    async play(bench) {
      const publishing = 'publisher {\n exchange = ""\n mandatory = true\n}';
      const { runtime } = await bench.serve(`
        ${bus("rabbitmq", 5672, publishing)}
        connector "events" {
          type   = "mq"
          driver = "memory"
        }
        flow "work" {
          from {
            connector = "events"
            operation = "work"
          }
          to {
            connector = "bus"
            target    = "a queue that does not exist"
          }
        }
      `);
      await bench.happens(() => runtime.publish("work", {}, { connector: "events" }));
    },
  },
  "a consumer of a Redis group dies with messages in hand": {
    needs: "redis",
    async play(bench) {
      const { id, group } = newNames();
      const key = `${id}.work`;
      const { connectors } = new Sink();
      const attributes = `queue {\n name = "${group}"\n}\nconsumer {\n claim_after = "1s"\n}`;
      await bench.serve(bus("redis", 6379, attributes) + work(key), connectors);
      await withRedis(SHARED, async (client) => {
        bench.onEnd(() => withRedis(SHARED, (client) => client.del(key)));
        // In one transaction, so that no other consumer of the group is faster.
        await bench.happens(() =>
          client.multi().xAdd(key, "*", { body: "{}" })
            .xReadGroup(group, "dead", { key, id: ">" }).exec()
        );
      });
    },
  },
  "the backplane is away": {
    needs: "redis",
    async play(bench) {
      const name = newNames().id;
      const proxy = await bench.proxy(6379);
      const { port } = await bench.serve(instance(proxy.port), {}, named(name));
      const other = await bench.start(instance(6379), {}, named(name));
      const client = await WebClient.open(`ws://127.0.0.1:${port}/ws`);
      bench.onEnd(() => client.close());
      const joined = await client.request({ type: "join_room", room: "kept:1", history: true });
      assert.equal(joined.type, "ack");
      await bench.happens(() => {
        proxy.refuse();
        proxy.cut();
      });
      await other.runtime.sendToRoom("kept:1", "meanwhile");
      await bench.ends(() => proxy.accept());
      assert.equal(await client.message(), "meanwhile");
    },
  },
  "another instance dies": {
    needs: "redis",
    async play(bench) {
      const name = newNames().id;
      const { runtime } = await bench.serve(instance(6379), {}, named(name));
      const stage = await openStage(tool);
      bench.onEnd(() => stage.end());
      const file = join(stage.folder, "service.hcl");
      await writeFile(file, `service {\n${named(name)}\n}\n${instance(6379)}`);
      const other = await stage.run([file]);
      await until("both", () => runtime.counts().ws.instances === 2);
      await bench.happens(() => other.kill());
    },
  },
  "another program writes to the backplane": {
    needs: "redis",
    async play(bench) {
      const name = newNames().id;
      await bench.serve(instance(6379), {}, named(name));
      await withRedis(SHARED, async (client) => {
        const channels = await client.pubSubChannels(`*${name}*`);
        await bench.happens(async () => {
          for (const channel of channels) await client.publish(channel, "hello");
        });
      });
    },
  },
  "another instance has a filter that cannot be used here": {
    needs: "redis",
    async play(bench) {
      const name = newNames().id;
      const only = `WEIR_TEST_${randomId().slice(0, 8)}`;
      process.env[only] = "there";
      bench.onEnd(() => delete process.env[only]);
      const other = await bench.start(instance(6379, filtering(only)), {}, named(name));
      delete process.env[only];
      const { runtime } = await bench.serve(instance(6379), {}, named(name));
      await until("both", () => runtime.counts().ws.instances === 2);
      await bench.happens(() => other.runtime.publish("news", {}, { connector: "events" }));
    },
  },
});
