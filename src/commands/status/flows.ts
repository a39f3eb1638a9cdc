/** What the metrics say of flows. */
import type { Sample } from "./samples.ts";

/** The outcomes that are no failure: the flow did what it was written for. */
const FINE: readonly string[] = ["ok", "filtered", "rejected", "duplicate"];
/** The flow did not run. */
const NOT_RUN = "filtered";

/** The events of one flow. */
export interface FlowFigures {
  readonly flow: string;
  /** Events that it took since the start. */
  readonly events: number;
  /** Events a second, between the two looks. */
  readonly rate: number;
  /** Events that failed since the start, by outcome. */
  readonly failures: Readonly<Record<string, number>>;
}

/** The figures of the flows with these names, from two looks that are `seconds` apart. */
export function flowFigures(
  flows: readonly string[],
  before: readonly Sample[],
  after: readonly Sample[],
  seconds: number,
): readonly FlowFigures[] {
  const [earlier, later] = [countsByFlow(before), countsByFlow(after)];
  return flows.map((flow): FlowFigures => {
    const counts = later.get(flow) ?? {};
    const events = total(counts);
    // A worker that was started again counts from 0.
    const more = Math.max(0, events - total(earlier.get(flow) ?? {}));
    const failures = Object.entries(counts)
      .filter(([outcome, count]) => !FINE.includes(outcome) && count > 0);
    const rate = seconds > 0 ? more / seconds : 0;
    return { flow, events, rate, failures: Object.fromEntries(failures) };
  });
}

function countsByFlow(samples: readonly Sample[]): Map<string, Record<string, number>> {
  const counts = new Map<string, Record<string, number>>();
  for (const { name, labels: { flow, outcome }, value } of samples) {
    if (name !== "weir_flow_events_total" || flow === undefined || outcome === undefined) continue;
    const one = counts.get(flow) ?? {};
    one[outcome] = (one[outcome] ?? 0) + value;
    counts.set(flow, one);
  }
  return counts;
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.entries(counts)
    .reduce((sum, [outcome, count]) => outcome === NOT_RUN ? sum : sum + count, 0);
}
