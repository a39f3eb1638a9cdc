/** The counters of a service, from those of its workers. */
import type { Counts } from "../runtime/core.ts";

/** What every worker counts for the whole service. */
const OF_THE_SERVICE: ReadonlySet<string> = new Set(["instances"]);

/** Adds up the counters of the same connector and name. */
export function countsOfAll(workers: readonly Counts[]): Counts {
  const all = workers.flatMap((counts) => Object.entries(counts));
  const sums = [...Map.groupBy(all, ([connector]) => connector)]
    .map(([connector, parts]) => [connector, sumOf(parts.map(([, counts]) => counts))]);
  return Object.fromEntries(sums);
}

function sumOf(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of parts.flatMap((part) => Object.entries(part))) {
    const sum = sums.get(name) ?? 0;
    sums.set(name, OF_THE_SERVICE.has(name) ? Math.max(sum, count) : sum + count);
  }
  return Object.fromEntries(sums);
}
