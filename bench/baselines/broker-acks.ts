/** Baseline: a bare consumer that parses each message of a stream and acks it. */
import process from "node:process";

/** The stream or subject, which is the consumer's name as well. */
const name = String(process.env.BENCH_NAME);
const url = String(process.env.BENCH_BROKER);

/** How many messages it has in hand, as Weir by default. */
const PREFETCH = 10;

if (url.startsWith("redis:")) await ackRedis();
else await ackJetStream();

async function ackRedis(): Promise<never> {
  const { createClient } = await import("@redis/client");
  const redis = createClient({ url });
  redis.on("error", (error) => console.error(error));
  await redis.connect();
  const reader = redis.duplicate();
  await reader.connect();
  await redis.xGroupCreate(name, name, "0", { MKSTREAM: true });
  console.log("ready");
  for (;;) {
    const found = await reader.xReadGroup(name, "bench", { key: name, id: ">" }, {
      COUNT: PREFETCH,
      BLOCK: 1000,
    }) as readonly { messages: readonly { id: string; message: { body: string } }[] }[] | null;
    await Promise.all((found?.[0].messages ?? []).map(({ id, message }) => {
      JSON.parse(message.body);
      return redis.xAck(name, name, id);
    }));
  }
}

async function ackJetStream(): Promise<void> {
  const { connect } = await import("@nats-io/transport-node");
  const { jetstream, jetstreamManager, AckPolicy } = await import("@nats-io/jetstream");
  const nats = await connect({ servers: url });
  const manager = await jetstreamManager(nats);
  await manager.streams.add({ name, subjects: [name] });
  await manager.consumers.add(name, { durable_name: name, ack_policy: AckPolicy.Explicit });
  const consumer = await jetstream(nats).consumers.get(name, name);
  console.log("ready");
  for await (const message of await consumer.consume({ max_messages: PREFETCH })) {
    message.json();
    message.ack();
  }
}
