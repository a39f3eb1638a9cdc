/** Every metric of docs/metrics.md moves in a test that does the thing. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { brokers, databases, flows, processes } from "../../docs/monitoring/faults.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { definitions } from "../../src/metrics/mod.ts";
import { createRuntime } from "../../src/runtime/mod.ts";
import { untilMetrics } from "../support/metrics.ts";

/** The tests that move metrics which no fault of docs/symptoms.md moves, by the file. */
const MOVED: Readonly<Record<string, readonly string[]>> = {
  "tests/unit/metrics-move.test.ts": [
    "weir_broker_queued_messages",
    "weir_connector_healthy",
    "weir_connector_number",
  ],
  "tests/unit/metrics-doc.test.ts": [
    // It has one value as long as a process runs.
    "weir_build_info",
    "weir_process_cpu_seconds_total",
    "weir_process_resident_memory_bytes",
  ],
  "tests/unit/flow-metrics.test.ts": [
    "weir_flow_duration_seconds",
    "weir_flow_retries_total",
    "weir_destination_duration_seconds",
    "weir_step_duration_seconds",
  ],
  "tests/contract/metrics.test.ts": [
    "weir_websocket_connections",
    "weir_websocket_rooms",
    "weir_websocket_users",
    "weir_websocket_frames_received_total",
    "weir_websocket_frames_sent_total",
    "weir_websocket_sent_bytes_total",
    "weir_websocket_queue_bytes",
    "weir_websocket_closes_total",
    "weir_websocket_presence_members",
    "weir_websocket_presence_frames_total",
    "weir_websocket_history_rooms",
    "weir_websocket_history_messages",
    "weir_websocket_history_resumes_total",
  ],
  "tests/services/metrics-brokers.test.ts": [
    "weir_broker_deliveries_total",
    "weir_broker_messages_in_flight",
    "weir_broker_published_total",
    "weir_broker_publishes_outstanding",
    "weir_websocket_backplane_topics",
  ],
  "tests/services/metrics-databases.test.ts": [
    "weir_database_pool_connections_in_use",
    "weir_database_pool_connections_max",
    "weir_database_pool_waiting",
    "weir_database_commit_writes",
    "weir_database_change_deliveries_total",
    "weir_http_requests_total",
    "weir_http_retries_total",
    "weir_http_connections_in_use",
    "weir_http_connections_max",
    "weir_http_waiting",
  ],
};

/** The names in the series of docs/symptoms.md. */
const told = [brokers, databases, flows, processes].flatMap((faults) =>
  Object.values(faults).flatMap(({ metrics, ...fault }) => [
    ...Object.keys(metrics),
    ...("over" in fault ? Object.keys(fault.over.metrics) : []),
  ])
).map((series) => series.split(/[{ ]/)[0]);

test("every metric moves in a test: in one of this list, or in one of docs/symptoms.md", () => {
  const moved = new Set([...told, ...Object.values(MOVED).flat()]);
  const names = definitions.map(({ name }) => name);
  assert.deepEqual(names.filter((name) => !moved.has(name)), [], "add a test that moves these");
  assert.deepEqual([...moved].filter((name) => !names.includes(name)), []);
  const twice = Object.values(MOVED).flat().filter((name) => told.includes(name));
  assert.deepEqual(twice, [], "docs/symptoms.md moves these");
});

test("the tests of the list name the metrics that they move", async () => {
  for (const [file, metrics] of Object.entries(MOVED)) {
    const text = await readFile(new URL(`../../${file}`, import.meta.url), "utf8");
    // Some have a function that adds the prefix of their kind.
    const absent = metrics.filter((name) => {
      const short = name.replace(/^weir_(?:broker|database|http|websocket(?:_backplane)?)_/, "");
      return !text.includes(name) && !text.includes(`"${short}`);
    });
    assert.deepEqual(absent, [], file);
  }
});

test("messages that wait in the process are counted until flows are free", async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const hold = defineConnector({
    fields: {},
    destination: { fields: {} },
    create: () => ({ write: () => held }),
  });
  const config = `
    connector "events" {
      type   = "mq"
      driver = "memory"
      consumer {
        prefetch = 1
      }
    }
    connector "hold" {
      type = "hold"
    }
    flow "work" {
      from {
        connector = "events"
        operation = "work"
      }
      to {
        connector = "hold"
      }
    }
  `;
  const runtime = await createRuntime(config, { connectors: { hold }, metrics: true });
  try {
    for (let n = 0; n < 3; n++) await runtime.publish("work", {});
    const waiting = 'weir_broker_queued_messages{connector="events"}';
    await untilMetrics(runtime, { [waiting]: 2 });
    release();
    await untilMetrics(runtime, { [waiting]: 0 });
  } finally {
    release();
    await runtime.close();
  }
});

test("a connector of a plugin tells its health and its numbers", async () => {
  let trouble: string | undefined;
  let things = 3;
  const own = defineConnector({
    fields: {},
    create: () => ({ health: () => trouble, counts: () => ({ things }) }),
  });
  const config = 'connector "own" {\n  type = "own"\n}\n';
  const runtime = await createRuntime(config, { connectors: { own }, metrics: true });
  const healthy = 'weir_connector_healthy{connector="own"}';
  const number = 'weir_connector_number{connector="own",name="things"}';
  try {
    await untilMetrics(runtime, { [healthy]: 1, [number]: 3 });
    [trouble, things] = ["it is full", 4];
    await untilMetrics(runtime, { [healthy]: 0, [number]: 4 });
  } finally {
    await runtime.close();
  }
});
