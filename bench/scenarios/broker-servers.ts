/** The brokers of this machine, with names of a scenario's own that are removed at the end. */
import { Buffer } from "node:buffer";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { createClient } from "@redis/client";
import { connectAsync } from "mqtt";
import { Connection } from "rabbitmq-client";

/** The brokers, where no variable names another one. */
const URLS = {
  rabbitmq: Deno.env.get("BENCH_AMQP") ?? "amqp://guest:guest@127.0.0.1",
  redis: Deno.env.get("BENCH_REDIS") ?? "redis://127.0.0.1:6379",
  nats: Deno.env.get("BENCH_NATS") ?? "nats://127.0.0.1:4222",
  mqtt: Deno.env.get("BENCH_MQTT") ?? "mqtt://127.0.0.1:1883",
};

/** A kind of broker. */
export type BrokerKind = keyof typeof URLS;

/** One broker and one name on it: an exchange, a channel, a stream, a subject or a topic. */
export interface TestBroker extends AsyncDisposable {
  readonly name: string;
  /** The environment of the programs that use it. */
  readonly env: Readonly<Record<string, string>>;
  /** Publishes to all subscribers, at most once. */
  publish(bodies: readonly string[]): Promise<void>;
  /** Adds to the stream of this name. */
  append(bodies: readonly string[]): Promise<void>;
  /** How many messages of the stream a consumer has not acked; of the stream, where there is none. */
  unacked(): Promise<number>;
}

/** Connects. Rejects where no broker answers. */
export async function openBroker(kind: BrokerKind): Promise<TestBroker> {
  const name = `weir-bench-${crypto.randomUUID()}`;
  const url = URLS[kind];
  const env = { BENCH_BROKER: url, BENCH_NAME: name };
  return { name, env, ...await openers[kind](name, url) };
}

type Opened = Omit<TestBroker, "name" | "env">;

const openers: Readonly<Record<BrokerKind, (name: string, url: string) => Promise<Opened>>> = {
  rabbitmq: openRabbit,
  redis: openRedis,
  nats: openNats,
  mqtt: openMqtt,
};

async function openRabbit(exchange: string, url: string): Promise<Opened> {
  const rabbit = new Connection({ url, connectionTimeout: 5_000 });
  rabbit.on("error", (error) => console.error(`the publisher: ${error}`));
  await rabbit.onConnect(5_000, true);
  await rabbit.exchangeDeclare({ exchange, type: "topic", durable: false });
  return {
    async publish(bodies) {
      const channel = await rabbit.acquire();
      const to = { exchange, routingKey: "order.updated", contentType: "application/json" };
      for (const body of bodies) await channel.basicPublish(to, Buffer.from(body));
      await channel.close();
    },
    append: lacksStreams,
    unacked: lacksStreams,
    async [Symbol.asyncDispose]() {
      await rabbit.exchangeDelete({ exchange });
      await rabbit.close();
    },
  };
}

async function openRedis(name: string, url: string): Promise<Opened> {
  const redis = createClient({ url });
  redis.on("error", (error) => console.error(`the publisher: ${error}`));
  await redis.connect();
  return {
    async publish(bodies) {
      await inBatches(bodies, (body) => redis.publish(name, body));
    },
    async append(bodies) {
      await inBatches(bodies, (body) => redis.xAdd(name, "*", { body }));
    },
    async unacked() {
      const [group] = await redis.xInfoGroups(name) as unknown as readonly {
        readonly pending: number;
        readonly lag: number;
      }[];
      return group.pending + group.lag;
    },
    async [Symbol.asyncDispose]() {
      await redis.del(name);
      await redis.close();
    },
  };
}

async function openNats(name: string, url: string): Promise<Opened> {
  const nats = await connect({ servers: url, timeout: 5_000 });
  const manager = await jetstreamManager(nats);
  const stream = manager.jetstream();
  return {
    async publish(bodies) {
      for (const body of bodies) nats.publish(name, body);
      await nats.flush();
    },
    async append(bodies) {
      await inBatches(bodies, (body) => stream.publish(name, body));
    },
    async unacked() {
      const { num_pending, num_ack_pending } = await manager.consumers.info(name, name);
      return num_pending + num_ack_pending;
    },
    async [Symbol.asyncDispose]() {
      for await (const { config } of manager.streams.list(name)) {
        await manager.streams.delete(config.name);
      }
      await nats.close();
    },
  };
}

async function openMqtt(topic: string, url: string): Promise<Opened> {
  const mqtt = await connectAsync(url, { connectTimeout: 5_000 });
  return {
    async publish(bodies) {
      // Mosquitto drops what a subscriber does not take fast enough: a window keeps it in step.
      await inBatches(bodies, (body) => mqtt.publishAsync(topic, body, { qos: 1 }));
    },
    append: lacksStreams,
    unacked: lacksStreams,
    async [Symbol.asyncDispose]() {
      await mqtt.endAsync();
    },
  };
}

/** A hundred at once. */
async function inBatches(
  bodies: readonly string[],
  send: (body: string) => Promise<unknown>,
): Promise<void> {
  for (let first = 0; first < bodies.length; first += 100) {
    await Promise.all(bodies.slice(first, first + 100).map(send));
  }
}

function lacksStreams(): never {
  throw new Error("this broker is not measured with streams");
}
