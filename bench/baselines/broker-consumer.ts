/** For the baselines of brokers: a bare consumer that hands each message to one function. */
import process from "node:process";

const name = String(process.env.BENCH_NAME);
const url = String(process.env.BENCH_BROKER);

const consumers: Readonly<Record<string, (send: (text: string) => void) => Promise<void>>> = {
  amqp: consumeRabbit,
  nats: consumeNats,
  redis: consumeRedis,
  mqtt: consumeMqtt,
};

/** Calls `send` with the frame of each message; resolves once messages are consumed. */
export async function consume(send: (text: string) => void): Promise<void> {
  await consumers[url.slice(0, url.indexOf(":"))](send);
}

function frameOf(data: unknown): string {
  return JSON.stringify({ type: "message", data });
}

async function consumeRabbit(send: (text: string) => void): Promise<void> {
  const { Connection } = await import("rabbitmq-client");
  const rabbit = new Connection(url);
  rabbit.on("error", (error) => console.error(error));
  const consumer = rabbit.createConsumer({
    queueOptions: { exclusive: true },
    exchanges: [{ exchange: name, type: "topic", durable: false }],
    queueBindings: [{ exchange: name, routingKey: "order.updated" }],
    // As Weir does by default.
    qos: { prefetchCount: 10 },
  }, ({ body }) => send(frameOf(body)));
  await new Promise((resolve) => consumer.once("ready", () => resolve(undefined)));
}

async function consumeNats(send: (text: string) => void): Promise<void> {
  const { connect } = await import("@nats-io/transport-node");
  const nats = await connect({ servers: url });
  nats.subscribe(name, { callback: (_, message) => send(frameOf(message.json())) });
  await nats.flush();
}

async function consumeRedis(send: (text: string) => void): Promise<void> {
  const { createClient } = await import("@redis/client");
  const redis = createClient({ url });
  redis.on("error", (error) => console.error(error));
  await redis.connect();
  await redis.subscribe(name, (text) => send(frameOf(JSON.parse(text))));
}

async function consumeMqtt(send: (text: string) => void): Promise<void> {
  const { connectAsync } = await import("mqtt");
  const mqtt = await connectAsync(url);
  mqtt.on("message", (_, body) => send(frameOf(JSON.parse(body.toString()))));
  await mqtt.subscribeAsync(name, { qos: 0 });
}
