/** Every attribute that the `mq` connector has for Redis does what it says to a real server. */
import assert from "node:assert/strict";
import { service, serviceTest } from "../support/services.ts";
import { testRows } from "./row.ts";
import { redisRows } from "./rows/redis.ts";

if ((await service("redis")).ok) testRows(redisRows);
else {
  await serviceTest("redis", "what every attribute changes in Redis", () => {
    assert.fail("the server has come since the tests began; run them again");
  });
}
