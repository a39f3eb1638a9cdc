/**
 * `deno task bench:smoke`: whether ratios of the benchmark still hold, in less than a minute. A line
 * for each; 1 is the exit code where one is below 0.8 of its bar. Ratios alone, no times: the machine
 * may be slow and have other work. What is too low is measured again, longer, twice at most.
 */
import process from "node:process";
import { toolchain } from "../tests/support/toolchain.ts";
import { judge, type Judgement } from "./bars.ts";
import { endContests, runScenario } from "./measure.ts";
import { pin } from "./pinning.ts";
import type { Bar, Bench, Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { boundText, measuredText } from "./tables.ts";

const checked = ["fanout-16", "fanout-1", "requests-1", "rooms"];
const slack = 0.8;
/** Rounds of the first try and of those that follow. */
const tries = [2, 4, 8];

/** Whether a figure is within the slack of its bar. */
export function holds({ bar, value }: Judgement): boolean {
  if (value === undefined) return false;
  const atMost = bar.figure === "growth" || bar.figure === "cost";
  return atMost ? value <= bar.bound / slack : value >= bar.bound * slack;
}

/** The bars that are ratios of contenders that need nothing but the runtimes. */
function barsOf({ contenders, bars }: Scenario): Bar[] {
  const plain = new Set(contenders.filter(({ missing }) => !missing).map(({ name }) => name));
  return bars.filter(({ of, against }) =>
    against !== undefined && plain.has(of) && plain.has(against)
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
async function check(scenario: Scenario, bench: Bench): Promise<boolean> {
  let open = barsOf(scenario);
  for (const [index, rounds] of tries.entries()) {
    const last = index === tries.length - 1;
    const found = await judgements(scenario, open, bench, rounds);
    open = found.filter((judgement) => !holds(judgement)).map(({ bar }) => bar);
    for (const judgement of found) {
      const good = holds(judgement);
      const word = good ? "ok   " : last ? "FAIL " : "again";
      const { bar } = judgement;
      const text = `${scenario.name}: ${bar.of} ${boundText(bar, scenario)}`;
      const advice = good ? "" : ` (a ratio fails beyond ${slack} of its bar)`;
      console.log(`${word} ${text}: ${measuredText(judgement)}${advice}`);
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
  let good = true;
  for (const scenario of scenarios.filter(({ name }) => checked.includes(name))) {
    if (!await check(scenario, bench)) good = false;
  }
  return good ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
