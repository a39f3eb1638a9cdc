/** Every attribute that the `mq` connector has for NATS does what it says to a real server. */
import assert from "node:assert/strict";
import { service, serviceTest } from "../support/services.ts";
import { testRows } from "./row.ts";
import { natsRows } from "./rows/nats.ts";

if ((await service("nats")).ok && (await service("nats-server")).ok) testRows(natsRows);
else {
  await serviceTest("nats-server", "what every attribute changes in NATS", () => {
    assert.fail("the server has come since the tests began; run them again");
  });
}
