/**
 * `deno task bench:smoke`: whether the ratios of the benchmark still hold, in less than a minute. It
 * prints a line for each and exits with 1 where one is below 0.8 of its bar, or of the saved result
 * where that does not reach the bar. It compares no times: the machine may be slow or busy. A ratio
 * that is too low is measured once more, with more rounds.
 */
import process from "node:process";
import { toolchain } from "../tests/support/toolchain.ts";
import { isAtMost, judge, type Judgement, meets, slackBound } from "./bars.ts";
import { endContests, runScenario } from "./measure.ts";
import { pin } from "./pinning.ts";
import { readResults, type Results } from "./results.ts";
import type { Bar, Bench, Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { boundText, measuredText, number } from "./tables.ts";

/** Which bars of which scenarios are checked. */
const checked: Readonly<Record<string, (bar: Bar) => boolean>> = {
  "fanout-16": () => true,
  "fanout-1": () => true,
  // Bun's own publish is at its best in large rooms.
  "fanout-sizes-16": ({ of }) => of === "weir-bun-10000-members",
  "requests-1": () => true,
  // Rooms are the same code on all runtimes, and 10 000 clients connect fastest here.
  rooms: ({ of }) => of.startsWith("weir-bun-"),
};
const slack = 0.8;
/** The rounds of the first and of the second try. */
const tries = [3, 9];

/** The checked bars that are ratios of contenders that need nothing but the runtimes and gcc. */
function barsOf({ name, contenders, bars }: Scenario): Bar[] {
  const plain = contenders.filter(({ missing }) => missing === undefined).map(({ name }) => name);
  return bars.filter((bar) =>
    bar.against !== undefined && namesOf(bar).every((name) => plain.includes(name)) &&
    checked[name](bar)
  );
}

/** The contenders that a bar compares. */
function namesOf({ of, against, beside }: Bar): string[] {
  return [of, against, beside?.of, beside?.against].filter((name) => name !== undefined);
}

/** Measures the contenders of these bars. */
async function judgements(
  scenario: Scenario,
  bars: readonly Bar[],
  bench: Bench,
  rounds: number,
): Promise<Judgement[]> {
  const names = new Set(bars.flatMap(namesOf));
  const contenders = scenario.contenders.filter(({ name }) => names.has(name));
  const run = await runScenario(scenario, bench, { contenders, rounds, log: () => {} });
  for (const failure of run.failures) console.error(failure);
  return bars.map((bar) => judge(bar, run.contenders));
}

/** Whether all bars of a scenario hold; prints a line for each. */
async function check(scenario: Scenario, bench: Bench, results: Results): Promise<boolean> {
  const kept = results[scenario.name]?.contenders ?? {};
  let open = barsOf(scenario);
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

/** What prevents measuring on this machine; undefined where nothing does. */
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
