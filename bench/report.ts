/** What a run has found, as Markdown. */
import type { Measurement } from "./load.ts";
import type { ServerSpec } from "./servers.ts";
import { summarize } from "./statistics.ts";

/** All rounds of one server in one scenario. */
export interface Result {
  /** The server. */
  readonly server: ServerSpec;
  /** The name of the scenario. */
  readonly scenario: string;
  /** One for each round. */
  readonly rounds: readonly Measurement[];
}

const head = [
  "server",
  "µs CPU a delivery",
  "spread",
  "against baseline",
  "deliveries a second",
  "p50 ms",
  "p99 ms",
];

/**
 * One table for each scenario. A ratio is a baseline's CPU time through the server's, in the same
 * runtime: 2× means half the CPU time.
 */
export function report(results: readonly Result[]): string {
  const scenarios = Map.groupBy(results, (result) => result.scenario);
  return [...scenarios].map(([scenario, rows]) =>
    [
      `### ${scenario}`,
      "",
      line(head),
      line(head.map((_, column) => column === 0 ? "---" : "---:")),
      ...rows.map((row) => line(cells(row, rows))),
    ].join("\n")
  ).join("\n\n");
}

function cells(result: Result, all: readonly Result[]): string[] {
  const { server, rounds } = result;
  const cpu = summarize(rounds.map((round) => round.cpu));
  const baseline = all.find((other) =>
    other.server.baseline && other.server.runtime === server.runtime
  );
  const ratio = baseline === undefined ? undefined : medianCpu(baseline) / cpu.median;
  return [
    server.name,
    cpu.median.toFixed(2),
    `${cpu.min.toFixed(2)}–${cpu.max.toFixed(2)}`,
    baseline === result ? "baseline" : ratio === undefined ? "" : `${ratio.toFixed(2)}×`,
    `${(summarize(rounds.map((round) => round.rate)).median / 1000).toFixed(0)}k`,
    summarize(rounds.map((round) => round.p50)).median.toFixed(1),
    summarize(rounds.map((round) => round.p99)).median.toFixed(1),
  ];
}

function medianCpu(result: Result): number {
  return summarize(result.rounds.map((round) => round.cpu)).median;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
