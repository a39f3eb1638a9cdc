import assert from "node:assert/strict";
import { test } from "node:test";
import { defineConnector } from "../../src/contract/definition.ts";
import { createRuntime } from "../../src/runtime/mod.ts";
import { until } from "../support/socket-probe.ts";

/** A configuration whose flow hands a broker's message to `broken`, and what fails to `letters`. */
const CONFIG = `
connector "events" {
  type   = "mq"
  driver = "memory"
}
connector "broken" { type = "broken" }
connector "letters" { type = "letters" }
flow "deliver" {
  from {
    connector = "events"
    operation = "order.*"
  }
  to { connector = "broken" }
  error_handling {
    retry {
      attempts = 2
      delay    = "1ms"
    }
    fallback { connector = "letters" }
  }
}
`;

for (const fails of [false, true]) {
  const fate = fails ? "fails leaves the message to the broker" : "succeeds acks the message, once";
  test(`a fallback that ${fate}`, async () => {
    const letters: unknown[] = [];
    let tries = 0;
    const runtime = await createRuntime(CONFIG, {
      connectors: {
        broken: defineConnector({
          fields: {},
          destination: { fields: {} },
          create: () => ({
            write() {
              tries++;
              throw new Error("away");
            },
          }),
        }),
        letters: defineConnector({
          fields: {},
          destination: { fields: {} },
          create: () => ({
            write({ payload }) {
              if (fails) throw new Error("full");
              letters.push(payload);
            },
          }),
        }),
      },
    });
    await runtime.publish("order.new", { id: 7 });
    await until(
      "the first delivery",
      () => runtime.counts().events[fails ? "retried" : "acked"] === 1,
    );
    await runtime.close();
    const { consumed, acked, discarded } = runtime.counts().events;
    assert.deepEqual(letters, fails ? [] : [{ id: 7 }]);
    if (!fails) assert.deepEqual([consumed, acked, discarded, tries], [1, 1, 0, 2]);
    else assert.deepEqual([acked, discarded], [0, 1]);
  });
}
