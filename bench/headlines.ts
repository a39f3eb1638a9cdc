/** The figures of the README, made from results. */
import { judge } from "./bars.ts";
import type { Results } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { measuredText, number, table } from "./tables.ts";

/** What stands in the README, in this order. */
const shown: Readonly<Record<string, string>> = {
  "fanout-16": "a delivery to a room of 1000, 16 messages on their way",
  "fanout-4": "4 on their way",
  "fanout-1": "1 on its way",
  "requests-1": "a request through a flow, answered",
  "rabbitmq": "a delivery from RabbitMQ to 100 clients",
  "connect": "a connection opened",
  "sqlite": "a message in SQLite, committed and acked",
  "idle": "an idle connection",
  "start": "start to ready, chat example, from the second on",
};
const runtimes = { node: "Node", deno: "Deno", bun: "Bun" };
const START = "<!-- figures -->";
const END = "<!-- /figures -->";

/**
 * The README with the figures in their place.
 *
 * @throws Error where it has no such place.
 */
export function withHeadlines(
  readme: string,
  scenarios: readonly Scenario[],
  results: Results,
): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start < 0 || end < start) throw new Error(`README.md has no ${START} before ${END}`);
  const rows = Object.entries(shown).flatMap(([name, title]) => {
    const scenario = scenarios.find((each) => each.name === name);
    const result = results[name];
    if (scenario === undefined || result === undefined) return [];
    const { contenders } = result;
    return [[
      `${title}: ${scenario.unit.split(" ")[0]}`,
      ...Object.keys(runtimes).map((runtime) => cell(scenario, contenders, `weir-${runtime}`)),
    ]];
  });
  const figures = table(["", ...Object.values(runtimes).map((name) => `Weir on ${name}`)], rows);
  return `${readme.slice(0, start)}${START}\n\n${figures}\n\n${readme.slice(end)}`;
}

/** A cost, and the lowest of the ratios that are asked of it. */
function cell(
  { bars }: Scenario,
  contenders: Results[string]["contenders"],
  name: string,
): string {
  const figures = contenders[name];
  if (figures === undefined) return "";
  const cost = number(figures.cost.median);
  const [lowest] = bars.filter(({ of, figure }) => of === name && figure === "efficiency")
    .map((bar) => judge(bar, contenders))
    .sort((one, other) => (one.value ?? Infinity) - (other.value ?? Infinity));
  return lowest === undefined ? cost : `${cost} (${measuredText(lowest)} ${lowest.bar.against})`;
}
