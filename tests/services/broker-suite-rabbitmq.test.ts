/** The cases that all brokers share, with RabbitMQ, and with the broker in memory that plays it. */
import { rabbitmqKinds } from "./broker-cases/rabbitmq.ts";
import { suite } from "./broker-cases/suite.ts";

await suite(rabbitmqKinds);
