/** The alerts and the dashboard: they are valid, tested, described, and name what Weir exports. */
import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { brokers, databases, flows, processes } from "../../docs/monitoring/faults.ts";
import type { Symptoms } from "../../docs/monitoring/symptom.ts";
import { definitions } from "../../src/metrics/mod.ts";
import { MONITORING, type Panel, readAlerts, readDashboard } from "../support/monitoring.ts";
import { promtoolIn } from "../support/prometheus.ts";
import { serviceTest } from "../support/services.ts";
import { read } from "./graph.ts";

const alerts = await readAlerts();
const { panels, ...dashboard } = await readDashboard();

/** Calls `look` with a copy of the folder. */
async function withCopy(look: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-monitoring-"));
  try {
    await cp(MONITORING, folder, { recursive: true });
    await look(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

await serviceTest("promtool", "promtool accepts the configuration and the alerts", async () => {
  await withCopy(async (folder) => {
    await writeFile(join(folder, "weir-admin-token"), "secret");
    const { code, output } = await promtoolIn(folder, "check", "config", "prometheus.yml");
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`SUCCESS: ${alerts.length} rules found`));
    const rules = await promtoolIn(folder, "check", "rules", "--lint-fatal", "alerts.yml");
    assert.equal(rules.code, 0, rules.output);
  });
});

await serviceTest("promtool", "promtool passes the tests of the alerts", async () => {
  const { code, output } = await promtoolIn(MONITORING, "test", "rules", "alerts.test.yml");
  assert.equal(code, 0, output);
});

await serviceTest(
  "promtool",
  "each alert has a test that fails if it never fires, and one if it always fires",
  async () => {
    await withCopy(async (folder) => {
      const text = await readFile(join(folder, "alerts.yml"), "utf8");
      const change = async (expr: string) => {
        const rules = parse(text) as { groups: { rules: { expr: string }[] }[] };
        for (const rule of rules.groups.flatMap((group) => group.rules)) rule.expr = expr;
        await writeFile(join(folder, "alerts.yml"), JSON.stringify(rules));
        return await promtoolIn(folder, "test", "rules", "alerts.test.yml");
      };
      const never = await change("vector(1) > 2");
      const always = await change("vector(1)");
      for (const { alert } of alerts) {
        const expected = (alerts: string) =>
          new RegExp(`alertname: ${alert}, time: \\w+,\\s+exp:\\[${alerts}`);
        assert.match(never.output, expected("\\s+0:"), `a test of ${alert} wants it to fire`);
        assert.match(always.output, expected("\\]"), `a test of ${alert} wants it not to fire`);
      }
    });
  },
);

test("the page has a section for each alert, and for nothing else", async () => {
  const page = await read("docs/monitoring.md");
  const sections = page.split(/^### /m).slice(1);
  const names = sections.map((section) => section.split("\n")[0]);
  assert.deepEqual(names, alerts.map(({ alert }) => alert));
  for (const section of sections) {
    assert.match(section, /\*\*Question\*\*:[^]+\*\*Look\*\*:[^]+\*\*Do\*\*:/);
  }
  for (const { alert, labels, annotations } of alerts) {
    assert.equal(annotations.runbook, `docs/monitoring.md#${alert.toLowerCase()}`);
    assert.match(labels.severity, /^(?:critical|warning)$/);
  }
  const metrics = definitions.map(({ name }) => name);
  const named = [...page.matchAll(/\bweir_\w+/g)].map(([name]) => name);
  assert.deepEqual(named.filter((name) => !metrics.includes(name)), []);
});

test("a fault names an alert that there is, and metrics of its own", () => {
  const names = alerts.map(({ alert }) => alert);
  for (const faults of [brokers, databases, flows, processes]) {
    for (const [fault, one] of Object.entries<Symptoms>(faults)) {
      const { alert, metrics, over } = one;
      if (alert !== undefined) assert.ok(names.includes(alert), `${fault}: ${alert}`);
      for (const series of Object.keys({ ...metrics, ...over?.metrics })) {
        // A histogram has no series of its own name.
        const [query] = series.split(" above ");
        const name = query === series ? query : `${query}_count`;
        assert.deepEqual(problemsOf(name), [], fault);
      }
    }
  }
});

/** What Prometheus adds itself. */
const SCRAPED = ["up", "scrape_duration_seconds", "scrape_samples_scraped"];
const TARGET = ["instance", "job"];

/** The labels of each series, by its name. */
const labelsOf = new Map<string, readonly string[]>(SCRAPED.map((name) => [name, TARGET]));
for (const { name, type, labels } of definitions) {
  const own = [...TARGET, ...labels];
  if (type === "histogram") {
    labelsOf.set(`${name}_bucket`, [...own, "le"]).set(`${name}_sum`, own)
      .set(`${name}_count`, own);
  } else {
    labelsOf.set(name, own);
  }
}

/** What is wrong with the names in a query and its legend. */
function problemsOf(query: string, legend = ""): readonly string[] {
  const problems: string[] = [];
  const known = new Set<string>();
  for (
    const [, name, selector = ""] of query.matchAll(/\b(weir_\w+|up|scrape_\w+)\b(?:\{(.*?)\})?/g)
  ) {
    const labels = labelsOf.get(name);
    if (labels === undefined) problems.push(`there is no ${name}`);
    for (const label of labels ?? []) known.add(label);
    for (const [, label] of selector.matchAll(/(\w+)\s*[=!]~?\s*"/g)) {
      if (labels?.includes(label) === false) problems.push(`${name} has no label ${label}`);
    }
  }
  if (known.size === 0) problems.push(`${query} asks for no metric`);
  const groups = [...query.matchAll(/\b(?:by|on|group_left) \(([^)]*)\)/g)];
  const grouped = groups.flatMap(([, list]) => list.split(/,\s*/).filter((label) => label !== ""));
  const shown = [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
  for (const label of [...grouped, ...shown]) {
    if (!known.has(label)) problems.push(`no metric of ${query} has the label ${label}`);
  }
  return problems;
}

test("alerts and dashboard name metrics and labels that Weir exports", () => {
  for (const { alert, expr, annotations } of alerts) {
    const summary = annotations.summary.replaceAll("$labels.", "").replaceAll("{{ ", "{{")
      .replaceAll(" }}", "}}");
    assert.deepEqual(problemsOf(expr, summary), [], alert);
  }
  const targets = panels.flatMap((panel) => panel.targets ?? []);
  assert.ok(targets.length > 60, `${targets.length} queries`);
  for (const { expr, legendFormat } of targets) {
    assert.deepEqual(problemsOf(expr, legendFormat), []);
  }
  assert.deepEqual(problemsOf('sum by (flow) (weir_flows{a="1"})'), [
    "there is no weir_flows",
    'sum by (flow) (weir_flows{a="1"}) asks for no metric',
    'no metric of sum by (flow) (weir_flows{a="1"}) has the label flow',
  ]);
  assert.deepEqual(problemsOf('weir_flow_in_flight{room="a"}', "{{user}}"), [
    "weir_flow_in_flight has no label room",
    'no metric of weir_flow_in_flight{room="a"} has the label user',
  ]);
});

test("the dashboard shows every metric", () => {
  const text = JSON.stringify(panels);
  const missing = definitions.filter(({ name }) => !text.includes(name)).map(({ name }) => name);
  assert.deepEqual(missing, []);
});

test("the dashboard has the form that Grafana 10 reads", () => {
  assert.equal(dashboard.schemaVersion, 38);
  assert.deepEqual(dashboard.templating.list.map(({ name, type }) => [name, type]), [
    ["datasource", "datasource"],
    ["job", "query"],
    ["instance", "query"],
  ]);
  const rows = panels.filter(({ type }) => type === "row").map(({ title }) => title);
  assert.deepEqual(rows, [
    "Service health",
    "Flows",
    "WebSocket",
    "Brokers",
    "Databases and HTTP",
    "Process",
  ]);
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const panel of panels.filter(({ type }) => type !== "row")) {
    assert.match(panel.type, /^(?:stat|state-timeline|timeseries)$/);
    assert.match(panel.title, /^[A-Z]/);
    assert.match(panel.description ?? "", /^[A-Z0-9].*\.$/, panel.title);
    assert.ok(panel.fieldConfig?.defaults.unit, panel.title);
    const sources = [panel, ...panel.targets ?? []] as readonly Pick<Panel, "datasource">[];
    for (const { datasource } of sources) {
      assert.deepEqual(datasource, { type: "prometheus", uid: "${datasource}" }, panel.title);
    }
    const ids = panel.targets?.map(({ refId }) => refId) ?? [];
    assert.ok(ids.length > 0 && new Set(ids).size === ids.length, panel.title);
  }
});

test("no panel of the dashboard covers another one", () => {
  const taken = new Map<string, string>();
  for (const { title, gridPos: { h, w, x, y } } of panels) {
    assert.ok(x >= 0 && x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const place = `${column},${line}`;
        assert.equal(taken.get(place), undefined, `${title} covers ${taken.get(place)}`);
        taken.set(place, title);
      }
    }
  }
});
