/** A scenario and its results for the tests of the benchmark's report. */
import { figuresOf, type ScenarioResult } from "../../bench/results.ts";
import type { Bar, Measurement, Scenario } from "../../bench/scenario.ts";

/** A scenario that nobody runs. */
export function scenarioOf(name: string, parts: Partial<Scenario> = {}): Scenario {
  return {
    name,
    title: `About ${name}`,
    about: "What is measured.",
    unit: "µs CPU a delivery",
    contenders: [],
    bars: [],
    open: () => Promise.reject(new Error("nobody runs it")),
    ...parts,
  };
}

/** A result with one round of each contender. */
export function resultOf(rounds: Readonly<Record<string, Measurement>>, cores = 2): ScenarioResult {
  const contenders = Object.entries(rounds).map(([name, round]) => [name, figuresOf([round])]);
  return {
    date: "2026-01-31",
    environment: {
      machine: `a machine, ${cores} cores`,
      cores,
      system: "linux 6",
      versions: { node: "24.0.0" },
      commit: "abcdef0",
    },
    pinning: "servers on core 0, load on core 1",
    rounds: 1,
    contenders: Object.fromEntries(contenders),
  };
}

/** What weir-node must reach. */
export function barOf(figure: Bar["figure"], bound: number, against?: string): Bar {
  return { of: "weir-node", figure, bound, ...against === undefined ? {} : { against } };
}
