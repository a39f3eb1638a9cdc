/**
 * Publishes one event: `publish.ts ROUTING_KEY JSON`. It knows nothing of Weir: any program that
 * can publish to the exchange will do.
 */
import process from "node:process";
import { Connection } from "rabbitmq-client";

const [routingKey, text] = process.argv.slice(2);
if (routingKey === undefined || text === undefined) {
  console.error(`usage: publish.ts order.updated '{"id":"A17","status":"packed"}'`);
  process.exit(2);
}
const body: unknown = JSON.parse(text);
const exchange = process.env.RABBITMQ_EXCHANGE ?? "page";

const connection = new Connection({
  url: process.env.RABBITMQ_URL ?? "amqp://guest:guest@localhost:5672",
  retryHigh: 1000,
});
connection.on("error", (error) => console.error(`RabbitMQ: ${error}`));
// Declared as Weir declares it, so that it does not matter which of the two starts first.
const publisher = connection.createPublisher({
  confirm: true,
  exchanges: [{ exchange, type: "topic", durable: true }],
});
await publisher.send({ exchange, routingKey, contentType: "application/json" }, body);
console.log(`published ${routingKey} to ${exchange}`);
await publisher.close();
await connection.close();
