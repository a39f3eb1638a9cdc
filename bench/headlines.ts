/** The figures of the README, generated from results. */
import { judge } from "./bars.ts";
import type { Results } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { measuredText, number, table, timesFloor } from "./tables.ts";

/** The rows of the README, in order. */
const shown: Readonly<Record<string, string>> = {
  "fanout-16": "a delivery to a room of 1000, 16 messages outstanding",
  "fanout-4": "4 outstanding",
  "fanout-1": "1 outstanding",
  "requests-1": "a request through a flow, answered",
  "rabbitmq": "a delivery from RabbitMQ to 100 clients",
  "connect": "a connection opened",
  "sqlite": "a message in SQLite, committed and acked",
  "postgres": "a message in PostgreSQL, committed and acked",
  "mariadb": "a message in MariaDB, committed and acked",
  "idle": "an idle connection",
  "start": "start to ready, chat example, from the second start on",
};
const runtimes = { node: "Node", deno: "Deno", bun: "Bun" };
const START = "<!-- figures -->";
const END = "<!-- /figures -->";

/**
 * The README with its figures replaced.
 *
 * @throws Error when it has no place for them.
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

/** A cost, and how many times the floor it is; without a floor, the lowest ratio of its bars. */
function cell(
  scenario: Scenario,
  contenders: Results[string]["contenders"],
  name: string,
): string {
  const figures = contenders[name];
  if (figures === undefined) return "";
  const cost = number(figures.cost.median);
  const times = timesFloor(scenario, contenders, name);
  if (times !== undefined) return `${cost} (${times.toFixed(1)} × floor)`;
  const [lowest] = scenario.bars.filter(({ of, figure }) => of === name && figure === "efficiency")
    .map((bar) => judge(bar, contenders))
    .sort((one, other) => (one.value ?? Infinity) - (other.value ?? Infinity));
  return lowest === undefined ? cost : `${cost} (${measuredText(lowest)} ${lowest.bar.against})`;
}
