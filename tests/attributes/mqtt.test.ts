/** Every attribute of the `mqtt` connector does what it says. */
import assert from "node:assert/strict";
import { service, serviceTest } from "../support/services.ts";
import { testRows } from "./row.ts";
import { mqttGreetingRows, mqttRows } from "./rows/mqtt.ts";

testRows(mqttGreetingRows);

if ((await service("mosquitto")).ok) testRows(mqttRows);
else {
  await serviceTest("mosquitto", "what every attribute changes in Mosquitto", () => {
    assert.fail("the broker has come since the tests began; run them again");
  });
}
