/** What tells an operator of a fault: metrics, the log, and the health checks. */

/** What becomes of metrics, by series: they grow, or have this value. */
export type Moves = Readonly<Record<string, "grows" | number>>;

/** The level of a line, and how it begins. What is in braces differs from line to line. */
export type Line = readonly [level: "info" | "warning" | "error", words: string];

/** The answers of `/health/live`, `/health/ready` and `/health/serving`. */
export type Answers = readonly [live: number, ready: number, serving: number];

/** What tells of a fault. */
export interface Symptoms {
  readonly metrics: Moves;
  /** Undefined where the metrics alone tell. */
  readonly log: Line | undefined;
  readonly health: Answers;
  /** The alert that fires if it lasts. */
  readonly alert?: string;
  /** What tells of its end, after which every health check answers 200. */
  readonly over?: Pick<Symptoms, "metrics" | "log">;
}

/** Faults by what happens. */
export type Faults<Names extends string = string> = Readonly<Record<Names, Symptoms>>;

/** Every health check is good: flows fail, and the service can serve. */
export const GOOD: Answers = [200, 200, 200];
/** A connector cannot serve. */
export const NOT_READY: Answers = [200, 503, 200];

/** A flow that fails, and what it failed at. */
export function fails(reason: string, metrics: Moves, alert = "WeirFlowFails"): Symptoms {
  return {
    metrics: { 'weir_flow_events_total{flow="work",outcome="failed"}': "grows", ...metrics },
    log: ["error", `flow work failed (ref {ref}): ${reason}`],
    health: GOOD,
    alert,
  };
}
