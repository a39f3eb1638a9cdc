/** Keeps what processes that have ended counted, so that the sums of all never fall. */
import type { MetricsData } from "../contract/metrics.ts";
import { sumOf, textOf } from "./text.ts";

/** The metrics of processes that come and go. */
export class ProcessTotals {
  /** What each process told last, by its id. */
  readonly #latest = new Map<string, MetricsData>();
  /** The counters of those that have ended. */
  #ended: Promise<MetricsData> = Promise.resolve([]);

  /**
   * All as one text. `processes` has those that run now, by their id: undefined for one that has not
   * answered, which counts with what it told last. What the others have counted stays.
   */
  async text(processes: ReadonlyMap<string, MetricsData | undefined>): Promise<string> {
    const gone = [...this.#latest].filter(([id]) => !processes.has(id));
    for (const [id] of gone) this.#latest.delete(id);
    for (const [id, metrics] of processes) {
      if (metrics !== undefined) this.#latest.set(id, metrics);
    }
    if (gone.length > 0) {
      const counters = gone.map(([, metrics]) => countersOf(metrics));
      this.#ended = this.#ended.then((ended) => sumOf([ended, ...counters]));
    }
    const running = [...this.#latest.values()];
    return await textOf([...running, await this.#ended]);
  }
}

/** What only grows. */
function countersOf(metrics: MetricsData): MetricsData {
  return metrics.filter(({ type }) => type !== "gauge");
}
