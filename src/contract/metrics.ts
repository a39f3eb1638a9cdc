/** Metrics between the connectors that have numbers and what writes them for Prometheus. */
import type { Histogram } from "../base/histogram.ts";

/** What a connector measures beside what it counts. */
export interface Measures {
  /** Numbers by name, as those of `counts()`. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Numbers by name and the value of a label, none of which a client chooses. */
  readonly labelled?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Sizes by name. */
  readonly histograms?: Readonly<Record<string, Histogram>>;
}

/** A connector with such measures. */
export interface Measured {
  /** Called for each scrape, so it must not cost more with more clients. */
  measures(): Measures;
}

/** A connector as a scrape sees it. */
export interface ScrapedConnector extends Measures {
  readonly name: string;
  /** As its block says. */
  readonly type: string;
  /** Whether it can serve. */
  readonly healthy: boolean;
}

/** One value of a metric. */
export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Of a histogram: the name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string;
}

/** One metric of a process. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** What the value of several processes is. */
  readonly aggregator: "sum" | "min" | "max";
  readonly values: readonly MetricValue[];
}

/** All metrics of a process, as plain data that can cross processes. */
export type MetricsData = readonly MetricData[];

/** Collects the metrics of one runtime. */
export interface Metrics {
  /** Reads all of them. */
  collect(connectors: readonly ScrapedConnector[]): MetricsData;
  /** Measures nothing any more. */
  close(): void;
}
