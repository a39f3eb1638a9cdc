/** Results of runs, and the file with the last run of each scenario. */
import type { Environment } from "./environment.ts";
import type { Measurement } from "./scenario.ts";
import { summarize, type Summary } from "./statistics.ts";

/** The median and the spread of each figure of the rounds. */
export type Figures = { readonly [K in keyof Measurement]: Summary };

/** One run of one scenario. */
export interface ScenarioResult {
  /** The day, as 2026-01-31. */
  readonly date: string;
  readonly environment: Environment;
  /** The cores of servers and load. */
  readonly pinning: string;
  /** Rounds of each contender. */
  readonly rounds: number;
  /** By the name of the contender, in the scenario's order. */
  readonly contenders: Readonly<Record<string, Figures>>;
}

/** By the name of the scenario. */
export type Results = Readonly<Record<string, ScenarioResult>>;

const file = new URL("../docs/performance/results.json", import.meta.url);

/** The figures of several rounds. */
export function figuresOf(rounds: readonly Measurement[]): Figures {
  const names = Object.keys(rounds[0]) as (keyof Measurement)[];
  const summaries = names.map((name) =>
    [name, rounded(summarize(rounds.map((round) => round[name] ?? 0)))] as const
  );
  return Object.fromEntries(summaries) as unknown as Figures;
}

/** The saved results. */
export async function readResults(): Promise<Results> {
  try {
    return JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

/** Saves a result in the place of the scenario's last. */
export async function saveResult(scenario: string, result: ScenarioResult): Promise<void> {
  await Deno.mkdir(new URL("./", file), { recursive: true });
  const results = { ...await readResults(), [scenario]: result };
  await Deno.writeTextFile(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** Rounds are not more precise than four digits. */
function rounded({ median, min, max }: Summary): Summary {
  const round = (value: number) => Number(value.toPrecision(4));
  return { median: round(median), min: round(min), max: round(max) };
}
