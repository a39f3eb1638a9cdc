/** docs/metrics.md and what a runtime exports are the same, in a form that Prometheus takes. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { defineConnector } from "../../src/contract/definition.ts";
import type { ScrapedConnector } from "../../src/contract/metrics.ts";
import { Histogram } from "../../src/base/histogram.ts";
import { definitions, RuntimeMetrics, textOf, workersData } from "../../src/metrics/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { createRuntime } from "../../src/runtime/mod.ts";
import { promtool, Scrape, scrape } from "../support/metrics.ts";
import { serviceTest } from "../support/services.ts";

const PAGE = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");

/** A row of the page, as its definition says. */
interface Row {
  readonly type: string;
  readonly labels: readonly string[];
}

const rows: ReadonlyMap<string, Row> = new Map(
  [...PAGE.matchAll(/^\| `(weir_\w+)` +\| (\w+) +\| ([^|]*)\|/gm)].map(([, name, type, labels]) => [
    name,
    { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label) },
  ]),
);

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
    room "*" {
      presence {
      }
      history {
        size = 4
        ttl  = "1h"
      }
    }
  }
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
  connector "api" {
    type     = "http"
    base_url = "http://127.0.0.1:1"
  }
  connector "door" {
    type = "rest"
    port = 0
  }
  connector "own" {
    type = "own"
  }
  flow "tick" {
    when = "@every 1h"
    to {
      connector = "events"
      target    = "key"
    }
  }
  flow "f" {
    from {
      connector = "ws"
      operation = "message"
    }
    step "s" {
      connector = "db"
      query     = "select 1 as one"
    }
    to {
      connector = "events"
      target    = "key"
    }
  }
`;

/** A connector of somebody else. */
const connectors = {
  own: defineConnector({ fields: {}, create: () => ({ counts: () => ({ things: 3 }) }) }),
};

/** The text of connectors that have all numbers that there are. */
async function everything(): Promise<string> {
  const { flows } = await loadConfig(CONFIG, { connectors });
  const sizes = new Histogram([1, 10]);
  sizes.add(3);
  // A number has the value 1 under whatever name it is asked for.
  const numbers = new Proxy({}, {
    get: () => 1,
    has: () => true,
    ownKeys: () => ["refused_full", "closed_slow", "error_timeout"],
    getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }),
  });
  const labelled = {
    frames_received: { say: 1 },
    closes_by_server: { 1001: 1 },
    closes_by_client: { 1000: 1 },
  };
  const types = ["websocket", "mq", "mqtt", "database", "http", "rest", "own"];
  const scraped = types.map((type): ScrapedConnector => (
    { name: type, type, healthy: true, numbers, labelled, histograms: { commits: sizes } }
  ));
  const metrics = new RuntimeMetrics();
  for (const flow of flows) metrics.observe(flow);
  metrics.close();
  const workers = workersData([{ running: true, restarts: 1 }]);
  return await textOf([[...metrics.collect(scraped), ...workers]]);
}

test("the page has every metric that can be exported, with its type and labels", async () => {
  const text = await everything();
  const { names, series } = new Scrape(text);
  assert.deepEqual(new Set(names), new Set(rows.keys()));
  assert.deepEqual(new Set(definitions.map(({ name }) => name)), new Set(rows.keys()));
  for (const [, name, type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    const row = rows.get(name);
    assert.equal(row?.type, type, name);
    const own = [...series.keys()].filter((one) =>
      [name, `${name}_bucket`, `${name}_sum`, `${name}_count`].includes(one.split("{")[0])
    );
    const labels = own.flatMap((one) => [...one.matchAll(/(\w+)="/g)].map(([, label]) => label));
    const shown = new Set(labels.filter((label) => label !== "le"));
    assert.deepEqual(shown, new Set(row?.labels), name);
  }
});

test("a runtime exports nothing that the page does not have", async () => {
  const runtime = await createRuntime(CONFIG, { connectors, metrics: true });
  try {
    const { names, series } = await scrape(runtime);
    assert.deepEqual(names.filter((name) => !rows.has(name)), []);
    assert.equal(series.get('weir_connector_number{connector="own",name="things"}'), 3);
    assert.equal(series.get('weir_connector_healthy{connector="own"}'), 1);
    assert.equal(series.get('weir_http_connected{connector="api"}'), 1);
  } finally {
    await runtime.close();
  }
});

test("the process has its numbers on every runtime", async () => {
  const runtime = await createRuntime("", { metrics: true });
  try {
    const before = (await scrape(runtime)).value("weir_process_cpu_seconds_total");
    // Work, and a wait that the event loop is late for.
    const began = performance.now();
    while (performance.now() - began < 300);
    const deadline = performance.now() + 15_000;
    const late = async (): Promise<number> => {
      const now = await scrape(runtime);
      const all = now.value("weir_event_loop_lag_seconds_count");
      return all - now.value("weir_event_loop_lag_seconds_bucket", { le: "0.1" });
    };
    while (await late() === 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const after = await scrape(runtime);
    assert.ok(await late() >= 1);
    assert.ok(after.value("weir_event_loop_lag_seconds_sum") >= 0.1);
    assert.ok(after.value("weir_process_cpu_seconds_total") > before);
    assert.ok(after.value("weir_process_resident_memory_bytes") > 2 ** 24);
    const [info] = [...after.series.keys()].filter((name) => name.startsWith("weir_build_info"));
    assert.match(
      info,
      /^weir_build_info\{version="\d[^"]*",runtime="(?:deno|bun|node) \d[^"]*"\}$/,
    );
    assert.equal(after.series.get(info), 1);
  } finally {
    await runtime.close();
  }
});

await serviceTest("promtool", "promtool has nothing to say about the text", async () => {
  assert.equal(await promtool(await everything()), "");
  assert.match(await promtool("# TYPE a counter\na 1\n"), /counter metrics should have "_total"/);
});
