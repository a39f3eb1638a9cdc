/** The page about performance and its charts, generated from results. */
import { judge, type Judgement } from "./bars.ts";
import { barChart, lineChart } from "./charts.ts";
import type { Environment } from "./environment.ts";
import type { Results, ScenarioResult } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { boundText, measuredText, percent, scenarioTable, table, verdict } from "./tables.ts";

/** Why bars are not reached, by scenario, scenario/contender or scenario/contender/peer. The longest key applies. */
export type Reasons = Readonly<Record<string, string>>;

/** A chart and the name of its file. */
export interface Chart {
  readonly file: string;
  readonly scenario: Scenario;
  readonly svg: string;
}

const barred = ["fanout-16", "fanout-4", "fanout-1"];
const growing: Readonly<Record<string, string>> = {
  rooms: "Members of one room",
  "many-rooms-send": "Number of rooms",
  "message-size": "Size of messages",
  "message-rate": "Rate of messages",
};

/** The page with its placeholders filled, and its charts. */
export function pageOf(
  template: string,
  scenarios: readonly Scenario[],
  results: Results,
  reasons: Reasons,
): { readonly page: string; readonly charts: readonly Chart[] } {
  const measured = scenarios.filter(({ name }) => Object.hasOwn(results, name));
  const charts = measured.flatMap((scenario) => chartsOf(scenario, results[scenario.name]));
  const parts: Readonly<Record<string, string>> = {
    environment: environments(measured, results),
    bottleneck: bottleneck(measured, results),
    bars: barTable(scenarios, results),
    reasons: reasonList(scenarios, results, reasons),
    growth: growthSections(charts),
    scenarios: measured.map((scenario) => section(scenario, results[scenario.name], charts))
      .join("\n\n"),
  };
  const page = template.replace(
    /^<!-- (\w+) -->$/gm,
    (mark, name: string) => Object.hasOwn(parts, name) ? parts[name] : mark,
  );
  return { page, charts };
}

function chartsOf(scenario: Scenario, result: ScenarioResult): Chart[] {
  const file = `${scenario.name}.svg`;
  if (barred.includes(scenario.name)) return [{ file, scenario, svg: barChart(scenario, result) }];
  if (Object.hasOwn(growing, scenario.name)) {
    return [{ file, scenario, svg: lineChart(scenario, result) }];
  }
  return [];
}

/** One paragraph for all scenarios that ran in the same environment. */
function environments(measured: readonly Scenario[], results: Results): string {
  const same = Map.groupBy(measured, ({ name }) => {
    const { date, environment, pinning, rounds } = results[name];
    return `${machineText(environment)}; ${date}, ${rounds} rounds; ${pinning}.`;
  });
  return [...same].map(([text, those], _, all) =>
    all.length === 1 ? text : `${those.map(({ name }) => `\`${name}\``).join(", ")}: ${text}`
  ).join("\n\n");
}

function machineText({ machine, system, versions, commit }: Environment): string {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${machine}, ${system}; ${list.join(", ")}; commit ${commit}`;
}

/** Whether the load generator slowed a server down. */
function bottleneck(measured: readonly Scenario[], results: Results): string {
  const rows = measured.flatMap(({ name }) =>
    Object.entries(results[name].contenders).flatMap(([contender, { load, generator }]) =>
      load === undefined || generator === undefined
        ? []
        : [{ row: `\`${name}\` ${contender}`, load: load.median, generator: generator.median }]
    )
  );
  const held = rows.filter(({ load, generator }) => generator > load)
    .map(({ row, load, generator }) => `${row} (${percent(load)}, ${percent(generator)})`);
  if (held.length === 0) {
    return `The server's core was the busier one in all ${rows.length} rows: the load generator slowed no ` +
      "server down.";
  }
  return `The server's core was the busier one in ${rows.length - held.length} of ${rows.length} ` +
    `rows. In the others (the server's core, the load's core) the rate is not the server's limit, ` +
    `but the CPU time is still its own: ${held.join(", ")}.`;
}

function barTable(scenarios: readonly Scenario[], results: Results): string {
  const rows = scenarios.flatMap((scenario) =>
    judgements(scenario, results).map((judgement, index) => [
      index === 0 ? `\`${scenario.name}\`: ${scenario.title}` : "",
      judgement.bar.of,
      boundText(judgement.bar, scenario),
      measuredText(judgement),
      verdict(judgement, results[scenario.name]?.environment.cores),
    ])
  );
  return table(["scenario", "contender", "bar", "measured", ""], rows);
}

function judgements(scenario: Scenario, results: Results): Judgement[] {
  const contenders = results[scenario.name]?.contenders ?? {};
  return scenario.bars.map((bar) => judge(bar, contenders));
}

function reasonList(
  scenarios: readonly Scenario[],
  results: Results,
  reasons: Reasons,
): string {
  return scenarios.flatMap((scenario) =>
    judgements(scenario, results).filter(({ bar, value, reached }) =>
      !reached && value !== undefined &&
      !((results[scenario.name].environment.cores) < (bar.cores ?? 0))
    ).map(({ bar }) => {
      const reason = reasonFor(reasons, [scenario.name, bar.of, bar.against]);
      return `- \`${scenario.name}\`, ${bar.of}, ${boundText(bar, scenario)}: ${reason}`;
    })
  ).join("\n");
}

function reasonFor(reasons: Reasons, path: readonly (string | undefined)[]): string {
  for (let length = path.length; length > 0; length--) {
    const key = path.slice(0, length).join("/");
    if (Object.hasOwn(reasons, key)) return reasons[key];
  }
  return "the reason is not known yet.";
}

function growthSections(charts: readonly Chart[]): string {
  return Object.entries(growing).flatMap(([name, title]) =>
    charts.filter(({ scenario }) => scenario.name === name)
      .map((chart) => `### ${title}\n\n${image(chart)}`)
  ).join("\n\n");
}

function section(scenario: Scenario, result: ScenarioResult, charts: readonly Chart[]): string {
  const chart = charts.find((each) => each.scenario === scenario && barred.includes(scenario.name));
  return [
    `### ${scenario.title} (\`${scenario.name}\`)`,
    scenario.about,
    scenarioTable(scenario, result),
    ...chart === undefined ? [] : [image(chart)],
  ].join("\n\n");
}

function image({ file, scenario }: Chart): string {
  return `![${scenario.title}: ${scenario.unit}](performance/${file})`;
}
