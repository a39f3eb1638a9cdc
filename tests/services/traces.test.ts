/** A trace goes through each broker: the flow that takes a message is a child of what has published it. */
import assert from "node:assert/strict";
import { createRuntime } from "../../src/runtime/mod.ts";
import { SHARED, withRedis } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import { LEFT_OUT, Sdk, SPAN_ID, TRACE_ID } from "../support/tracing.ts";

/** The attributes of a connector, the key that is published, and the operation that takes it. */
interface Route {
  readonly attributes: string;
  readonly target: string;
  readonly operation: string;
  /** The name of the system as the conventions have it. */
  readonly system: string;
}

/** Names of this test alone. */
const own = () => `weir-traces-${crypto.randomUUID().slice(0, 8)}`;

const routes = {
  rabbitmq: (name: string): Route => ({
    attributes:
      `type = "mq"\ndriver = "rabbitmq"\nexchange {\nname = "${name}"\ndurable = false\n}\n`,
    target: "orders.new",
    operation: "orders.*",
    system: "rabbitmq",
  }),
  nats: (name: string): Route => ({
    attributes: 'type = "mq"\ndriver = "nats"',
    target: `${name}.new`,
    operation: `${name}.*`,
    system: "nats",
  }),
  redis: (name: string): Route => ({
    attributes: `type = "mq"\ndriver = "redis"\nqueue {\nname = "${name}"\n}\n` +
      "publisher {\nmax_length = 10\n}\n",
    target: name,
    operation: name,
    system: "redis",
  }),
  mosquitto: (name: string): Route => ({
    attributes: 'type = "mqtt"\nurl = "mqtt://127.0.0.1:1883"',
    target: `${name}/new`,
    operation: `${name}/+`,
    system: "mqtt",
  }),
} as const;

for (const service of Object.keys(routes) as (keyof typeof routes)[]) {
  await serviceTest(service, `a trace goes through ${service}`, async () => {
    const name = own();
    const { attributes, target, operation, system } = routes[service](name);
    const config = `
      connector "bus" {
        ${attributes}
      }
      connector "api" {
        type = "rest"
        port = 0
      }
      flow "order" {
        from {
          connector = "api"
          operation = "POST /orders"
        }
        to {
          connector = "bus"
          target    = "${target}"
        }
      }
      flow "own" {
        from {
          connector = "api"
          operation = "POST /own"
        }
        to {
          connector = "bus"
          target    = "${target}"
          headers   = { traceparent = "'${LEFT_OUT}'" }
        }
      }
      flow "take" {
        from {
          connector = "bus"
          operation = "${operation}"
        }
        transform { seen = "input.headers" }
      }
    `;
    await Sdk.with(async (sdk) => {
      const runtime = await createRuntime(config);
      try {
        const post = (path: string, headers: Readonly<Record<string, string>> = {}) =>
          runtime.fetch(new Request(`http://localhost${path}`, { method: "POST", headers }));
        const traceparent = `00-${TRACE_ID}-${SPAN_ID}-01`;
        const answer = await post("/orders", { traceparent, tracestate: "a=b" });
        assert.ok(answer.ok, await answer.text());
        await until("all spans", () => sdk.spans.length === 3);
        assert.deepEqual(sdk.tree(), [
          "POST /orders",
          `process ${operation} < publish ${target}`,
          `publish ${target} < POST /orders`,
        ]);
        const order = sdk.span("POST /orders");
        assert.equal(order.parentSpanContext?.spanId, SPAN_ID);
        assert.equal(order.attributes["http.route"], "/orders");
        const taken = sdk.span(`process ${operation}`);
        assert.equal(taken.spanContext().traceId, TRACE_ID);
        assert.equal(taken.spanContext().traceState?.serialize(), "a=b");
        assert.equal(taken.attributes["messaging.system"], system);
        assert.equal(sdk.span(`publish ${target}`).attributes["messaging.operation.type"], "send");

        // A header of its own says that the trace is not recorded, so no flow has a span for it.
        assert.ok((await post("/own")).ok);
        await post("/orders");
        await until("the last message", () => sdk.spans.length === 8);
        const names = sdk.spans.slice(3).map(({ name }) => name).sort();
        assert.deepEqual(names, [
          "POST /orders",
          "POST /own",
          `process ${operation}`,
          `publish ${target}`,
          `publish ${target}`,
        ]);
      } finally {
        await runtime.close();
        if (service === "redis") await withRedis(SHARED, (client) => client.del(name));
      }
    });
  });
}
