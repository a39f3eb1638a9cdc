/** A frame that is published and acked when the broker has confirmed it, by the client library alone. */
import { Buffer } from "node:buffer";
import process from "node:process";

const name = String(process.env.BENCH_NAME);
const url = String(process.env.BENCH_BROKER);

const publishers: Readonly<Record<string, () => Promise<(body: string) => Promise<unknown>>>> = {
  amqp: openRabbit,
  nats: openJetStream,
  redis: openRedis,
  mqtt: openMqtt,
};
const publish = await publishers[url.slice(0, url.indexOf(":"))]();

/** The ack of a frame. */
export async function answerTo(frame: string): Promise<string> {
  const { id, data } = JSON.parse(frame);
  await publish(JSON.stringify(data));
  return JSON.stringify({ type: "ack", id });
}

async function openRabbit() {
  const { Connection } = await import("rabbitmq-client");
  const rabbit = new Connection(url);
  const publisher = rabbit.createPublisher({
    confirm: true,
    exchanges: [{ exchange: name, type: "topic", durable: false }],
  });
  return (body: string) =>
    publisher.send({
      exchange: name,
      routingKey: name,
      durable: true,
      contentType: "application/json",
      messageId: crypto.randomUUID(),
    }, Buffer.from(body));
}

async function openJetStream() {
  const { connect } = await import("@nats-io/transport-node");
  const { jetstream, jetstreamManager } = await import("@nats-io/jetstream");
  const nats = await connect({ servers: url });
  await (await jetstreamManager(nats)).streams.add({ name, subjects: [name] });
  const stream = jetstream(nats);
  return (body: string) => stream.publish(name, body);
}

async function openRedis() {
  const { createClient } = await import("@redis/client");
  const redis = createClient({ url });
  redis.on("error", (error) => console.error(error));
  await redis.connect();
  const trim = { TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: 100_000 } } as const;
  return (body: string) => redis.xAdd(name, "*", { body }, trim);
}

async function openMqtt() {
  const { connectAsync } = await import("mqtt");
  const mqtt = await connectAsync(url);
  return (body: string) => mqtt.publishAsync(name, body, { qos: 1 });
}
