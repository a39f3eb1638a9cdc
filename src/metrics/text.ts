/** Writes metrics as text, and adds up those of several processes: by `prom-client`. */
import prometheus from "prom-client";
import type { MetricsData } from "../contract/metrics.ts";

/** What of the library is used. Its types name classes for what it takes as plain data. */
interface Registry {
  registerMetric(metric: { readonly name: string; get(): unknown }): void;
  metrics(): Promise<string>;
  getMetricsAsJSON(): Promise<MetricsData>;
}

const { AggregatorRegistry, Registry } = prometheus as unknown as {
  readonly AggregatorRegistry: { aggregate(processes: readonly MetricsData[]): Registry };
  readonly Registry: new () => Registry;
};

/** The metrics of several processes as one text, in the format of Prometheus. */
export function textOf(processes: readonly MetricsData[]): Promise<string> {
  // Without values there would be a name and its help alone.
  const valued = processes.map((metrics) => metrics.filter(({ values }) => values.length > 0));
  return (valued.length === 1 ? registryOf(valued[0]) : AggregatorRegistry.aggregate(valued))
    .metrics();
}

/** The metrics of several processes as those of one. */
export function sumOf(processes: readonly MetricsData[]): Promise<MetricsData> {
  return AggregatorRegistry.aggregate(processes).getMetricsAsJSON();
}

/** To add up those of one process would take as long as to write them. */
function registryOf(metrics: MetricsData): Registry {
  const registry = new Registry();
  for (const metric of metrics) {
    registry.registerMetric({ name: metric.name, get: () => metric });
  }
  return registry;
}
