/**
 * The metrics of flows. They count in plain numbers, which a scrape reads: a counter of the client
 * library costs 90 to 120 nanoseconds for each event, its histogram twice that.
 */
import { Histogram } from "../base/histogram.ts";
import type { MetricData, MetricValue } from "../contract/metrics.ts";
import type {
  FlowObserver,
  ObservedRequest,
  RequestObserver,
  RunObserver,
  RunOutcome,
} from "../contract/observer.ts";
import type { FlowModel } from "../model/mod.ts";
import { counter, dataOf, type Definition, gauge, histogram } from "./definition.ts";
import { histogramValues } from "./values.ts";

/** The upper bounds of durations, in seconds: from a frame that only answers to the longest timeouts. */
const SECONDS = [
  ...[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
];

const OUTCOMES: readonly (RunOutcome | "filtered")[] = [
  ...["ok", "filtered", "rejected", "invalid", "duplicate"] as const,
  ...["failed", "timeout", "fallback"] as const,
];

const EVENTS = counter("weir_flow_events_total", "Events of flows by how they ended.", [
  "flow",
  "outcome",
]);
const DURATION = histogram(
  "weir_flow_duration_seconds",
  "How long flows took for an event, retries included.",
  ["flow"],
);
const IN_FLIGHT = gauge("weir_flow_in_flight", "Events that flows work on now.", ["flow"]);
const RETRIES = counter("weir_flow_retries_total", "Repeated deliveries of flows.", ["flow"]);
const SKIPPED = counter(
  "weir_schedule_skipped_total",
  "Runs that a schedule has skipped, since the previous one had not ended.",
  ["flow"],
);
const DESTINATION_DURATION = histogram(
  "weir_destination_duration_seconds",
  "How long destinations of flows took, fallbacks included.",
  ["flow", "connector"],
);
const DESTINATION_FAILURES = counter(
  "weir_destination_failures_total",
  "Failed deliveries to destinations of flows, fallbacks included.",
  ["flow", "connector"],
);
const STEP_DURATION = histogram(
  "weir_step_duration_seconds",
  "How long steps of flows took; results from a cache are left out.",
  ["flow", "connector"],
);
const STEP_FAILURES = counter("weir_step_failures_total", "Failed steps of flows.", [
  "flow",
  "connector",
]);

/** All metrics of flows. */
export const flowMetrics: readonly Definition[] = [
  ...[EVENTS, DURATION, IN_FLIGHT, RETRIES, SKIPPED],
  ...[DESTINATION_DURATION, DESTINATION_FAILURES, STEP_DURATION, STEP_FAILURES],
];

/** The requests of one flow to one connector. */
class Requests {
  readonly connector: string;
  readonly duration: Histogram = new Histogram(SECONDS);
  failures = 0;

  constructor(connector: string) {
    this.connector = connector;
  }
}

/** Counts what one flow does. */
export class FlowMetrics implements FlowObserver {
  readonly flow: string;
  readonly duration: Histogram = new Histogram(SECONDS);
  readonly outcomes: Record<RunOutcome | "filtered", number>;
  /** By connector. */
  readonly destinations: ReadonlyMap<string, Requests>;
  readonly steps: ReadonlyMap<string, Requests>;
  inFlight = 0;
  retries = 0;
  /** Undefined for a flow without a schedule. */
  skips: number | undefined;

  /** All series are there from the start, so that their first increase can be seen. */
  constructor({ name, source, to, steps, accept, errorHandling: { fallback } }: FlowModel) {
    this.flow = name;
    this.skips = source.kind === "schedule" ? 0 : undefined;
    this.outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<
      typeof OUTCOMES[number],
      number
    >;
    this.destinations = requestsOf([...to, ...[fallback ?? []].flat()]);
    this.steps = requestsOf([...accept?.steps ?? [], ...steps]);
  }

  filtered(): void {
    this.outcomes.filtered++;
  }

  skipped(): void {
    this.skips = (this.skips ?? 0) + 1;
  }

  begin(): RunObserver {
    this.inFlight++;
    return new RunMetrics(this, performance.now());
  }
}

function requestsOf(
  requests: readonly Pick<ObservedRequest, "connector">[],
): ReadonlyMap<string, Requests> {
  return new Map(requests.map(({ connector }) => [connector, new Requests(connector)]));
}

/** Measures one run. */
class RunMetrics implements RunObserver {
  readonly #flow: FlowMetrics;
  readonly #began: number;

  constructor(flow: FlowMetrics, began: number) {
    this.#flow = flow;
    this.#began = began;
  }

  request({ kind, connector }: ObservedRequest): RequestObserver {
    const requests = kind === "step" ? this.#flow.steps : this.#flow.destinations;
    return new RequestMetrics(requests.get(connector));
  }

  retried(): void {
    this.#flow.retries++;
  }

  ended(outcome: RunOutcome | undefined): void {
    const flow = this.#flow;
    flow.inFlight--;
    // It has been let in, and runs from now on.
    if (outcome === undefined) return;
    flow.outcomes[outcome]++;
    flow.duration.add((performance.now() - this.#began) / 1000);
  }
}

/** Measures one request. */
class RequestMetrics implements RequestObserver {
  readonly traceparent = undefined;
  readonly #requests: Requests | undefined;
  readonly #began = performance.now();

  constructor(requests: Requests | undefined) {
    this.#requests = requests;
  }

  ended(failure?: unknown): void {
    if (this.#requests === undefined) return;
    this.#requests.duration.add((performance.now() - this.#began) / 1000);
    if (failure !== undefined) this.#requests.failures++;
  }
}

/** What a scrape reads of all flows. */
export function collectFlows(flows: readonly FlowMetrics[]): readonly MetricData[] {
  const data = (definition: Definition, read: (flow: FlowMetrics) => readonly MetricValue[]) => ({
    ...dataOf(definition),
    values: flows.flatMap(read),
  });
  const number = (definition: Definition, name: "inFlight" | "retries" | "skips") =>
    data(
      definition,
      ({ flow, [name]: value }) => value === undefined ? [] : [{ value, labels: { flow } }],
    );
  const requests = (kind: "destinations" | "steps", duration: Definition, failures: Definition) => [
    data(
      duration,
      (one) =>
        [...one[kind].values()].flatMap((requests) =>
          histogramValues(duration.name, requests.duration, labelsOf(one, requests))
        ),
    ),
    data(failures, (one) =>
      [...one[kind].values()].map((requests) => ({
        value: requests.failures,
        labels: labelsOf(one, requests),
      }))),
  ];
  return [
    data(
      EVENTS,
      ({ flow, outcomes }) =>
        OUTCOMES.map((outcome) => ({ value: outcomes[outcome], labels: { flow, outcome } })),
    ),
    data(DURATION, ({ flow, duration }) => histogramValues(DURATION.name, duration, { flow })),
    number(IN_FLIGHT, "inFlight"),
    number(RETRIES, "retries"),
    number(SKIPPED, "skips"),
    ...requests("destinations", DESTINATION_DURATION, DESTINATION_FAILURES),
    ...requests("steps", STEP_DURATION, STEP_FAILURES),
  ];
}

function labelsOf({ flow }: FlowMetrics, { connector }: Requests): MetricValue["labels"] {
  return { flow, connector };
}
