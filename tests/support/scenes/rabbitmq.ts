/** The way of orders: one that is packed, one that comes again, and two dead letters. */
import { WebClient } from "../web-client.ts";
import type { Scene } from "./scene.ts";

const ORDERS = [
  { item: "lamp", address: "1 Long Street" },
  { item: "book" },
  { item: "book", address: "1 Long Street" },
];

/** The scene. Its broker is in memory, and routes and redelivers as RabbitMQ does. */
export const rabbitmq: Scene = {
  name: "rabbitmq",
  example: "rabbitmq",
  connector: "watch",
  database: "PAGE_DB",
  env: () => ({ MQ: "memory" }),
  filled: "Connected",
  played: /flow_failed/,
  fill: () => Promise.resolve(() => {}),
  async play({ origin }) {
    const client = await WebClient.open(`${origin.replace("http", "ws")}/watch`);
    for (const data of ORDERS) await client.request({ type: "place", data });
    client.close();
  },
};
