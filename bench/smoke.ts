/**
 * `deno task bench:smoke`: whether ratios of the benchmark still hold, in less than a minute. A line
 * for each; 1 is the exit code where one is below 0.8 of its bar, or of what is kept for the report
 * where that does not reach the bar. Ratios alone, no times: the machine may be slow and have other
 * work. What is too low is measured once more, with more rounds.
 */
import process from "node:process";
import { type Tool, toolchain } from "../tests/support/toolchain.ts";
import { isAtMost, judge, type Judgement, meets, slackBound } from "./bars.ts";
import { endContests, runScenario } from "./measure.ts";
import { pin } from "./pinning.ts";
import { readResults, type Results } from "./results.ts";
import type { Bar, Bench, Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { boundText, measuredText, number } from "./tables.ts";

const everyRuntime: readonly Tool[] = ["node", "deno", "bun"];
/** The bars of which scenarios, and on which runtimes. */
const checked: Readonly<Record<string, readonly Tool[]>> = {
  "fanout-16": everyRuntime,
  "fanout-1": everyRuntime,
  "requests-1": everyRuntime,
  // Rooms are the same code on all three, and ten thousand clients connect fastest here.
  rooms: ["bun"],
};
const slack = 0.8;
/** Rounds of the first try and of the second. */
const tries = [3, 9];

/** The bars on these runtimes that are ratios of contenders that need nothing but the runtimes. */
function barsOf({ contenders, bars }: Scenario, runtimes: readonly Tool[]): Bar[] {
  const plain = contenders.filter(({ missing }) => missing === undefined);
  const names = new Set(plain.map(({ name }) => name));
  const own = new Set(
    plain.filter(({ runtime }) => runtime !== undefined && runtimes.includes(runtime))
      .map(({ name }) => name),
  );
  return bars.filter(({ of, against }) =>
    against !== undefined && own.has(of) && names.has(against)
  );
}

/** Measures those who take part in the bars. */
async function judgements(
  scenario: Scenario,
  bars: readonly Bar[],
  bench: Bench,
  rounds: number,
): Promise<Judgement[]> {
  const names = new Set(bars.flatMap(({ of, against }) => [of, against]));
  const contenders = scenario.contenders.filter(({ name }) => names.has(name));
  const run = await runScenario(scenario, bench, { contenders, rounds, log: () => {} });
  for (const failure of run.failures) console.error(failure);
  return bars.map((bar) => judge(bar, run.contenders));
}

/** Whether all bars of a scenario hold; says so of each. */
async function check(scenario: Scenario, bench: Bench, results: Results): Promise<boolean> {
  const kept = results[scenario.name]?.contenders ?? {};
  let open = barsOf(scenario, checked[scenario.name]);
  for (const [index, rounds] of tries.entries()) {
    const bad = index === tries.length - 1 ? "FAIL " : "again";
    const found = await judgements(scenario, open, bench, rounds);
    open = [];
    for (const judgement of found) {
      const { bar, value } = judgement;
      const bound = slackBound(bar, judge(bar, kept), slack);
      const good = value !== undefined && meets(bar, value, bound);
      if (!good) open.push(bar);
      const text = `${scenario.name}: ${bar.of} ${boundText(bar, scenario)}`;
      const limit = `fails ${isAtMost(bar) ? "above" : "below"} ${number(bound)}`;
      console.log(`${good ? "ok   " : bad} ${text}: ${measuredText(judgement)} (${limit})`);
    }
    if (open.length === 0) return true;
  }
  return false;
}

/** Why nothing can be measured here; undefined where it can. */
async function obstacle(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "the load generator needs Linux";
  try {
    await new Deno.Command("gcc", { args: ["--version"], stdout: "null" }).output();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "the load generator needs gcc";
    throw error;
  }
}

async function main(): Promise<number> {
  const reason = await obstacle();
  if (reason !== undefined) {
    console.log(`skipped: ${reason}`);
    return process.env.WEIR_TEST_REQUIRE_SERVICES === "1" ? 1 : 0;
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void endContests().finally(() => Deno.exit(130)));
  }
  const bench = { tools: await toolchain(), pinning: await pin(), quick: true };
  const results = await readResults();
  let good = true;
  for (const scenario of scenarios.filter(({ name }) => Object.hasOwn(checked, name))) {
    if (!await check(scenario, bench, results)) good = false;
  }
  return good ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
