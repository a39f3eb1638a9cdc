/** The alerts and the dashboard, against what a real Prometheus has scraped of a real runtime. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Scrape, scrape, untilMetrics } from "../support/metrics.ts";
import { readAlerts, readDashboard, readMonitoring } from "../support/monitoring.ts";
import { promtoolIn } from "../support/prometheus.ts";
import { withPrometheus, withRuntime } from "../support/scraped-runtime.ts";
import { serviceTest } from "../support/services.ts";
import type { RunningHost } from "../support/socket-hosts.ts";
import { until } from "../support/socket-probe.ts";
import { WebClient } from "../support/web-client.ts";

/** A client comes, does everything that a client can do here, and leaves. */
async function visit({ port }: RunningHost): Promise<void> {
  const client = await WebClient.open(`ws://127.0.0.1:${port}/ws?user_id=u`);
  for (let n = 0; n < 3; n++) {
    assert.equal((await client.request({ type: "say", data: { n } })).type, "ack");
    assert.equal((await client.request({ type: "fail", data: { n } })).type, "error");
  }
  client.close(1000);
  await client.closed;
}

/** The queries of the dashboard as Grafana sends them, by the titles of their panels. */
async function readQueries(): Promise<readonly (readonly [title: string, query: string])[]> {
  const { panels } = await readDashboard();
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => {
      const query = expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", "weir")
        .replaceAll("$instance", ".*");
      assert.ok(!query.includes("$"), query);
      return [title, query] as const;
    })
  );
}

/** Panels whose queries all have a series above 0 after a visit. */
const MOVED = [
  "Instances that answer",
  "Events that fail",
  "Events",
  "Version",
  "Events by outcome",
  "Events by flow",
  "Failures by flow",
  "Destinations, 99 %",
  "Steps, 99 %",
  "Handshakes",
  "Frames received",
  "Frames sent",
  "Bytes sent",
  "Errors by code",
  "Messages by settlement",
  "Ends of connections",
  "Plugins",
  "Processor",
  "Memory",
  "Lag of the event loop, 99 %",
  "Duration of a scrape",
  "Series",
];

/** What a service of one process without servers, schedules and other instances lacks. */
const ABSENT = [
  /weir_schedule_/,
  /weir_workers?_/,
  /weir_database_pool_/,
  /weir_database_reconnects_/,
  /weir_database_change/,
  /weir_database_gaps_/,
  /weir_broker_(?:claimed|gaps|reconnects)_/,
  /weir_websocket_backplane_/,
  /weir_websocket_history_caught_up_/,
  /weir_websocket_filter_gaps_/,
];

await serviceTest("prometheus", "the queries of the dashboard find what clients did", async () => {
  const queries = await readQueries();
  await withRuntime(async (running) => {
    const kept = 'weir_flow_events_total{flow="keep",outcome="ok"}';
    const closed = 'weir_websocket_closes_total{connector="ws",by="client",code="1000"}';
    // A type of frame and a close code have no series before they are seen the first time.
    await visit(running);
    await untilMetrics(running.runtime, { [kept]: 3, [closed]: 1 });
    await withPrometheus(running, async (prometheus) => {
      const scraped = (series: string, value: number) =>
        until(
          `${series} is ${value}`,
          async () => {
            const [found] = await prometheus.query(series);
            return found?.value === value;
          },
          50,
          60_000,
        );
      // What grew before the first scrape is not in any rate.
      await scraped(kept, 3);
      await visit(running);
      await scraped(closed, 2);
      await scraped(kept, 6);
      const wrong: string[] = [];
      for (const [title, query] of queries) {
        const found = await prometheus.query(query);
        const isAbsent = ABSENT.some((pattern) => pattern.test(query));
        if (found.length === 0 && !isAbsent) wrong.push(`${title} finds nothing: ${query}`);
        if (MOVED.includes(title) && !found.some(({ value }) => value > 0)) {
          wrong.push(`${title} is ${JSON.stringify(found)}: ${query}`);
        }
      }
      assert.deepEqual(wrong, []);
      const titles = new Set(queries.map(([title]) => title));
      assert.deepEqual(MOVED.filter((title) => !titles.has(title)), []);
    });
  });
});

await serviceTest("prometheus", "Prometheus evaluates every alert without an error", async () => {
  const alerts = await readAlerts();
  await withRuntime((running) =>
    withPrometheus(running, async (prometheus) => {
      const scraped = async () => (await prometheus.query('up{job="weir"} == 1')).length > 0;
      await until("a scrape", scraped, 50, 60_000);
      const began = Date.now();
      let rules: readonly Rule[] = [];
      await until(
        "an evaluation of all alerts",
        async () => {
          const { groups } = await prometheus.ask("rules") as {
            readonly groups: readonly { readonly rules: readonly Rule[] }[];
          };
          rules = groups.flatMap((group) => group.rules);
          return rules.every((rule) => Date.parse(rule.lastEvaluation) > began);
        },
        50,
        60_000,
      );
      const names = rules.map(({ name }) => name).sort();
      assert.deepEqual(names, alerts.map(({ alert }) => alert).sort());
      // A machine with much to do may be late, so one for the event loop may be pending.
      const wrong = rules.filter(({ state, health }) => state === "firing" || health !== "ok");
      assert.deepEqual(wrong, []);
    })
  );
});

/** A rule as the API of Prometheus shows it. */
interface Rule {
  readonly name: string;
  readonly state: string;
  readonly health: string;
  readonly lastEvaluation: string;
}

await serviceTest("promtool", "no alert fires for a service that has nothing to do", async () => {
  const alerts = await readAlerts();
  await withRuntime(async ({ runtime }) => {
    const quiet = await silentFor(await scrape(runtime), alerts.map(({ alert }) => alert));
    assert.deepEqual(quiet, { code: 0, output: quiet.output });
    // The same numbers with a broker that is away.
    const { text } = await scrape(runtime);
    const away = text.replace(/^(weir_broker_connected\{.*\}) 1$/m, "$1 0");
    assert.notEqual(away, text);
    const loud = await silentFor(new Scrape(away), alerts.map(({ alert }) => alert));
    assert.notEqual(loud.code, 0);
    assert.match(loud.output, /alertname: WeirBrokerDisconnected/);
  });
});

/** What promtool says to the expectation that no alert fires while these numbers stay as they are. */
async function silentFor({ series }: Scrape, alerts: readonly string[]) {
  const constant = ([name, value]: readonly [string, number]) => {
    const [metric, labels = "}"] = name.split(/\{(.*)/s);
    const target = 'job="weir",instance="a:9090"';
    const separator = labels === "}" ? "" : ",";
    return { series: `${metric}{${target}${separator}${labels}`, values: `${value.toFixed(6)}x90` };
  };
  const tests = [{
    interval: "1m",
    input_series: [["up", 1] as const, ...series].map(constant),
    alert_rule_test: ["5m", "30m", "60m"].flatMap((eval_time) =>
      alerts.map((alertname) => ({ eval_time, alertname, exp_alerts: [] }))
    ),
  }];
  const folder = await mkdtemp(join(tmpdir(), "weir-alerts-"));
  try {
    await writeFile(join(folder, "alerts.yml"), await readMonitoring("alerts.yml"));
    // JSON is YAML.
    const text = JSON.stringify({ rule_files: ["alerts.yml"], evaluation_interval: "1m", tests });
    await writeFile(join(folder, "idle.yml"), text);
    return await promtoolIn(folder, "test", "rules", "idle.yml");
  } finally {
    await rm(folder, { recursive: true });
  }
}
