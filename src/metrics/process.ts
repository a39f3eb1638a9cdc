/**
 * The metrics of this process, measured here: the default metrics of the client library have names of
 * Node, and its lag of the event loop is 0 on Deno whatever happens.
 */
import process from "node:process";
import { Histogram } from "../base/histogram.ts";
import { VERSION } from "../base/version.ts";
import type { MetricData } from "../contract/metrics.ts";
import { counter, dataOf, type Definition, gauge, histogram } from "./definition.ts";
import { histogramValues } from "./values.ts";

/** Milliseconds between two looks at the lag. */
const INTERVAL = 100;
/** The upper bounds of lags, in seconds. */
const LAGS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

const CPU = counter(
  "weir_process_cpu_seconds_total",
  "Time of the processor that the process used, by user and system.",
  ["mode"],
);
const MEMORY = gauge("weir_process_resident_memory_bytes", "Memory that the process occupies.");
const LAG = histogram(
  "weir_event_loop_lag_seconds",
  "How late a timer was that is due every 100 milliseconds: how long an event waits at worst.",
);
const BUILD = gauge(
  "weir_build_info",
  "1, with the version of Weir and the runtime that runs it.",
  ["version", "runtime"],
  "max",
);

/** All metrics of a process. */
export const processMetrics: readonly Definition[] = [CPU, MEMORY, LAG, BUILD];

/** Measures this process. */
export class ProcessMetrics {
  readonly #lags = new Histogram(LAGS);
  readonly #timer: ReturnType<typeof setInterval>;
  #due = performance.now() + INTERVAL;

  /** Begins to look at the event loop. Keeps no process alive. */
  constructor() {
    this.#timer = setInterval(() => this.#look(), INTERVAL);
    this.#timer.unref();
  }

  /** What a scrape reads. A number that the runtime does not have is left out. */
  collect(): readonly MetricData[] {
    const cpu = attempt(() => process.cpuUsage());
    const memory = attempt(() => process.memoryUsage.rss());
    return [
      {
        ...dataOf(CPU),
        values: cpu === undefined ? [] : (["user", "system"] as const).map((mode) => ({
          value: cpu[mode] / 1e6,
          labels: { mode },
        })),
      },
      { ...dataOf(MEMORY), values: memory === undefined ? [] : [{ value: memory, labels: {} }] },
      { ...dataOf(LAG), values: histogramValues(LAG.name, this.#lags, {}) },
      { ...dataOf(BUILD), values: [{ value: 1, labels: { version: VERSION, runtime: RUNTIME } }] },
    ];
  }

  /** Looks no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    this.#lags.add(Math.max(0, now - this.#due) / 1000);
    this.#due = now + INTERVAL;
  }
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Such as `node 24.21.0`. Deno and Bun name a version of Node as well. */
const RUNTIME = ((): string => {
  const { deno, bun, node } = process.versions;
  if (deno !== undefined) return `deno ${deno}`;
  return bun === undefined ? `node ${node}` : `bun ${bun}`;
})();
