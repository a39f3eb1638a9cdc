/** Asks the workers of a service for their metrics. */
import { withTimeout } from "../base/timeout.ts";
import type { MetricsData } from "../contract/metrics.ts";
import type { WorkerProcess } from "./process.ts";

/** How long a worker may take, in milliseconds: the others are not kept waiting by one that hangs. */
const PATIENCE = 2_000;

/** A worker while its process runs. */
export interface RunningWorker {
  /** The id of the process. */
  readonly instance: string;
  readonly process: WorkerProcess;
}

/** The metrics of each process by its id; undefined where it has not answered. */
export async function scrape(
  workers: readonly RunningWorker[],
): Promise<ReadonlyMap<string, MetricsData | undefined>> {
  const answers = workers.map(async ({ instance, process }) =>
    [instance, await ask(process)] as const
  );
  return new Map(await Promise.all(answers));
}

async function ask(process: WorkerProcess): Promise<MetricsData | undefined> {
  const asked = Promise.race([process.functions.metrics(), process.ended]).catch(() => undefined);
  const result = await withTimeout(asked, PATIENCE, () => undefined);
  return typeof result === "object" && "value" in result ? result.value : undefined;
}
