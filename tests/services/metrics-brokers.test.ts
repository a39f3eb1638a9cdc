/** The metrics of brokers: each moves where its thing is done, on every broker. */
import assert from "node:assert/strict";
import { randomId } from "../../src/base/ids.ts";
import { scrape, untilMetrics } from "../support/metrics.ts";
import { until } from "../support/mq.ts";
import { serviceTest } from "../support/services.ts";
import type { Kind } from "./broker-cases/kind.ts";
import { natsKinds } from "./broker-cases/nats.ts";
import { rabbitmqKinds } from "./broker-cases/rabbitmq.ts";
import { redisKinds } from "./broker-cases/redis.ts";
import { withMetrics, withProxy } from "./metrics-support.ts";

/** A series of the connector "bus". */
function bus(name: string, ...labels: readonly string[]): string {
  return `weir_broker_${name}{${['connector="bus"', ...labels].join(",")}}`;
}

const settled = (settlement: string) =>
  bus("messages_received_total", `settlement="${settlement}"`);

/** One broker, and how a connector uses it over a port. */
interface Subject {
  readonly service: Parameters<typeof serviceTest>[0];
  readonly port: number;
  /** The block's attributes. */
  connector(id: string, port: number): string;
  key(id: string): string;
  clear?(id: string): Promise<void>;
}

const DLQ = 'max_retries = 1\nretry_delay = "20ms"';

function ofKind(kind: Kind, port: number): Subject {
  const names = (id: string) => ({ id, group: `${id}-group` });
  return {
    service: kind.service,
    port,
    connector: (id, port) =>
      `type = "mq"\ndriver = "${kind.driver}"\nhost = "127.0.0.1"\nport = ${port}\n${
        kind.attributes(names(id), { prefetch: 5, dlq: DLQ })
      }`,
    key: (id) => kind.key(names(id), "order.new"),
    async clear(id) {
      const outside = await kind.outside();
      await outside.clear(names(id));
      await outside.close();
    },
  };
}

const subjects: Readonly<Record<string, Subject>> = {
  Redis: ofKind(redisKinds["Redis, streams"], 6379),
  JetStream: ofKind(natsKinds["JetStream"], 4222),
  RabbitMQ: ofKind(rabbitmqKinds["RabbitMQ, a named queue"], 5672),
  MQTT: {
    service: "mosquitto",
    port: 1883,
    connector: (id, port) =>
      `type = "mqtt"\nurl = "mqtt://127.0.0.1:${port}"\nclient_id = "${id}"\n` +
      `consumer {\nprefetch = 5\ndlq {\ntopic = "${id}/dlq"\n${DLQ}\n}\n}`,
    key: (id) => `${id}/order`,
  },
};

for (const [name, subject] of Object.entries(subjects)) {
  await serviceTest(subject.service, `metrics of ${name}`, async () => {
    const id = `weir-test-${randomId().slice(0, 8)}`;
    const key = subject.key(id);
    try {
      await withProxy(subject.port, async (proxy) => {
        const config = `
          connector "bus" {
            ${subject.connector(id, proxy.port)}
          }
          flow "work" {
            from {
              connector = "bus"
              operation = "${key}"
            }
            to {
              connector = "sink"
            }
          }
        `;
        await withMetrics(config, async (runtime, sink) => {
          await untilMetrics(runtime, { [bus("connected")]: 1, [bus("published_total")]: 0 });
          for (const what of ["ack", "retry", "die"]) await runtime.publish(key, { do: what });
          await untilMetrics(runtime, {
            [bus("published_total")]: 3,
            [bus("deliveries_total")]: 4,
            [settled("ack")]: 2,
            [settled("requeue")]: 1,
            [settled("dead_letter")]: 1,
            [settled("discard")]: 0,
            [bus("redeliveries_total")]: 1,
            [bus("dead_letters_total")]: 1,
            [bus("messages_in_flight")]: 0,
            [bus("publishes_outstanding")]: 0,
            'weir_destination_failures_total{flow="work",connector="sink"}': 2,
          });

          await runtime.publish(key, { do: "hold" });
          await until("a message that is held", () => sink.held > 0);
          await untilMetrics(runtime, { [bus("messages_in_flight")]: 1 });
          sink.release();
          await untilMetrics(runtime, { [bus("messages_in_flight")]: 0 });

          // What the broker has not confirmed.
          proxy.stall();
          const publishing = runtime.publish(key, { do: "ack" });
          await untilMetrics(runtime, { [bus("publishes_outstanding")]: 1 });
          proxy.resume();
          await publishing.catch(() => {});
          await untilMetrics(runtime, { [bus("publishes_outstanding")]: 0, [bus("connected")]: 1 });

          const { series } = await scrape(runtime);
          const before = series.get(bus("reconnects_total")) ?? NaN;
          proxy.refuse();
          proxy.cut();
          await untilMetrics(runtime, { [bus("connected")]: 0 });
          await assert.rejects(runtime.publish(key, { do: "ack" }));
          const failures = (count: number) => count >= 1;
          await untilMetrics(runtime, { [bus("publish_failures_total")]: failures });
          await proxy.accept();
          await untilMetrics(runtime, {
            [bus("connected")]: 1,
            [bus("reconnects_total")]: (count) => count > before,
          });
        });
      });
    } finally {
      await subject.clear?.(id);
    }
  });
}
for (const driver of ["redis", "nats", "rabbitmq"] as const) {
  await serviceTest(driver, `metrics of a backplane over ${driver}`, async () => {
    const config = `
      service {
        name = "weir-test-${randomId()}"
      }
      connector "bus" {
        type   = "mq"
        driver = "${driver}"
        host   = "127.0.0.1"
      }
      connector "ws" {
        type      = "websocket"
        port      = 0
        backplane = "bus"
      }
    `;
    const ws = (name: string, ...labels: readonly string[]) =>
      `weir_websocket_backplane_${name}{${['connector="ws"', ...labels].join(",")}}`;
    await withMetrics(config, (one) =>
      withMetrics(config, async (two) => {
        for (const runtime of [one, two]) await untilMetrics(runtime, { [ws("instances")]: 2 });
        await one.broadcast("hello");
        const some = (count: number) => count > 0;
        await untilMetrics(one, { [ws("messages_total", 'result="sent"')]: some });
        await untilMetrics(two, {
          [ws("messages_total", 'result="received"')]: some,
          [ws("messages_total", 'result="unknown"')]: 0,
          [ws("messages_total", 'result="unreadable"')]: 0,
          [ws("gaps_total")]: 0,
          [ws("topics")]: some,
        });
      }));
  });
}
