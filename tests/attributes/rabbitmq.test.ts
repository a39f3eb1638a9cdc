/** Every attribute that the `mq` connector has for RabbitMQ does what it says to a real broker. */
import assert from "node:assert/strict";
import { service, serviceTest } from "../support/services.ts";
import { testRows } from "./row.ts";
import { rabbitmqRows } from "./rows/rabbitmq.ts";

if ((await service("rabbitmq")).ok) testRows(rabbitmqRows);
else {
  await serviceTest("rabbitmq", "what every attribute changes in RabbitMQ", () => {
    assert.fail("the broker has come since the tests began; run them again");
  });
}
