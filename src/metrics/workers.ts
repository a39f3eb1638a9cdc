/** The metrics of a service of several workers, which the process that supervises them knows. */
import type { MetricsData } from "../contract/metrics.ts";
import { counter, dataOf, type Definition, gauge } from "./definition.ts";

const RUNNING = gauge("weir_workers_running", "Workers that run and serve.");
const RESTARTS = counter(
  "weir_worker_restarts_total",
  "Times that a worker was started again, since its process had ended.",
);

/** All metrics of workers. */
export const workerMetrics: readonly Definition[] = [RUNNING, RESTARTS];

/** A worker as its supervisor knows it. */
interface SupervisedWorker {
  readonly running: boolean;
  readonly restarts: number;
}

/** What a scrape reads of the workers of a service. */
export function workersData(workers: readonly SupervisedWorker[]): MetricsData {
  const running = workers.filter((worker) => worker.running).length;
  const restarts = workers.reduce((sum, worker) => sum + worker.restarts, 0);
  return [
    { ...dataOf(RUNNING), values: [{ value: running, labels: {} }] },
    { ...dataOf(RESTARTS), values: [{ value: restarts, labels: {} }] },
  ];
}
