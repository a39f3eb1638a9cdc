/** For the baselines of `rabbitmq`: a bare consumer that hands each message to one function. */
import process from "node:process";
import { Connection } from "rabbitmq-client";

/** Calls `send` with the frame of each message; resolves once messages are consumed. */
export async function consume(send: (text: string) => void): Promise<void> {
  const exchange = String(process.env.BENCH_EXCHANGE);
  const rabbit = new Connection(process.env.BENCH_AMQP ?? "amqp://guest:guest@127.0.0.1");
  rabbit.on("error", (error) => console.error(error));
  const consumer = rabbit.createConsumer({
    queueOptions: { exclusive: true },
    exchanges: [{ exchange, type: "topic", durable: false }],
    queueBindings: [{ exchange, routingKey: "order.updated" }],
    // As Weir does by default.
    qos: { prefetchCount: 10 },
  }, ({ body }) => send(JSON.stringify({ type: "message", data: body })));
  await new Promise((resolve) => consumer.once("ready", () => resolve(undefined)));
}
