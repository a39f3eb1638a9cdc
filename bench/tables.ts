/** Results as Markdown. */
import { floorOf, isFloor } from "./floor.ts";
import { judge, type Judgement } from "./bars.ts";
import type { ScenarioResult } from "./results.ts";
import type { Bar, Measurement, Scenario } from "./scenario.ts";

/** A column of a scenario's table, for a figure. */
interface Column {
  readonly head: string;
  readonly figure: keyof Measurement;
  readonly text: (value: number) => string;
}

const columns: readonly Column[] = [
  { head: "a second", figure: "rate", text: number },
  { head: "p50 ms", figure: "p50", text: number },
  { head: "p99 ms", figure: "p99", text: number },
  { head: "server's core", figure: "load", text: percent },
  { head: "load's core", figure: "generator", text: percent },
  { head: "busiest worker", figure: "share", text: percent },
];

/** One row for each contender. */
export function scenarioTable(scenario: Scenario, { contenders }: ScenarioResult): string {
  const rows = Object.entries(contenders);
  const used = columns.filter(({ figure }) => rows.some(([, figures]) => figures[figure]));
  const floored = rows.some(([name]) => isFloor(name));
  const head = [
    "contender",
    scenario.unit,
    "spread",
    ...floored ? ["times the floor"] : [],
    ...used.map((column) => column.head),
  ];
  return table(
    head,
    rows.map(([name, figures]) => [
      name,
      number(figures.cost.median),
      `${number(figures.cost.min)}–${number(figures.cost.max)}`,
      ...floored ? [timesFloor(scenario, contenders, name)?.toFixed(2) ?? ""] : [],
      ...used.map(({ figure, text }) => {
        const summary = figures[figure];
        return summary === undefined ? "" : text(summary.median);
      }),
    ]),
  );
}

/** A contender's cost divided by the floor's; undefined where the floor was not measured. */
export function timesFloor(
  scenario: Scenario,
  contenders: ScenarioResult["contenders"],
  name: string,
): number | undefined {
  const floor = contenders[floorOf(scenario, name) ?? ""];
  return floor && contenders[name].cost.median / floor.cost.median;
}

/** One line for each bar whose contenders were measured. */
export function barLines(scenario: Scenario, { contenders, environment }: ScenarioResult): string {
  return scenario.bars.map((bar) => judge(bar, contenders))
    .filter(({ value }) => value !== undefined)
    .map((judgement) => {
      const { bar } = judgement;
      const text = `${bar.of} ${boundText(bar, scenario)}: ${measuredText(judgement)}`;
      return `- ${text}, ${verdict(judgement, environment.cores)}`;
    })
    .join("\n");
}

/** The bound, such as `≥ 10 × ws-node`. */
export function boundText({ figure, against, bound, beside }: Bar, { unit }: Scenario): string {
  switch (figure) {
    case "efficiency":
      return `≥ ${bound} × ${against}`;
    case "growth":
      if (beside !== undefined) {
        return `÷ ${against} ≤ ${bound} × (${beside.of} ÷ ${beside.against})`;
      }
      return `≤ ${bound} × ${against}`;
    case "beyond":
      return `≤ ${number(bound)} ${unit} beyond ${against}`;
    case "rate":
      return against === undefined ? `≥ ${number(bound)}/s` : `≥ ${bound} × ${against}'s rate`;
    case "p50":
      return `a median of at most ${number(bound)} ms`;
    case "share":
      return `≤ ${percent(bound)} on one worker`;
    case "cost":
      return `≤ ${number(bound)} ${unit}`;
  }
}

/** The measured value, written as the bound is. */
export function measuredText({ bar, value }: Judgement): string {
  if (value === undefined) return "not measured";
  if (bar.figure === "cost" || bar.figure === "beyond") return number(value);
  if (bar.figure === "p50") return `${number(value)} ms`;
  if (bar.figure === "share") return percent(value);
  if (bar.figure === "rate" && bar.against === undefined) return `${number(value)}/s`;
  return `${value.toFixed(2)} ×`;
}

/** Whether it was reached. */
export function verdict({ bar, value, reached }: Judgement, cores = Infinity): string {
  if (bar.cores !== undefined && cores < bar.cores) return `needs ${bar.cores} cores`;
  return value === undefined ? "" : reached ? "reached" : "**not reached**";
}

/** A number of three digits, or four from 1000 on, with spaces between thousands. */
export function number(value: number): string {
  if (value < 1000) return String(Number(value.toPrecision(3)));
  return String(Number(value.toPrecision(4))).replace(/\B(?=(\d{3})+$)/g, " ");
}

/** A Markdown table: the first column holds names, the others numbers. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const rule = head.map((_, column) => column === 0 ? "---" : "---:");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** A share, from 0 to 1. */
export function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
