/**
 * Metrics for Prometheus. Loaded only where they are on, since the client library needs Node's modules.
 *
 * `flows.ts` counts what flows do, `process.ts` measures the process, and the modules of the kinds of
 * connectors say which of their numbers are which metrics; `workers.ts` has those of the process that
 * supervises workers. `text.ts` writes them.
 *
 * May import base/, contract/ and model/.
 */
import type {
  MetricData,
  Metrics,
  MetricsData,
  MetricValue,
  ScrapedConnector,
} from "../contract/metrics.ts";
import type { FlowObserver } from "../contract/observer.ts";
import type { FlowModel } from "../model/mod.ts";
import { brokerMetrics } from "./broker.ts";
import { databaseMetrics } from "./database.ts";
import { type ConnectorMetric, dataOf, type Definition } from "./definition.ts";
import { collectFlows, FlowMetrics, flowMetrics } from "./flows.ts";
import { httpMetrics, otherMetrics } from "./http.ts";
import { ProcessMetrics, processMetrics } from "./process.ts";
import { websocketMetrics } from "./websocket.ts";
import { workerMetrics } from "./workers.ts";

export { ProcessTotals } from "./totals.ts";
export { textOf } from "./text.ts";
export { workersData } from "./workers.ts";

/** By the type of connectors; types that are not here are those of plugins. */
const BY_TYPE: ReadonlyMap<string, readonly ConnectorMetric[]> = new Map([
  ["websocket", websocketMetrics],
  ["mq", brokerMetrics],
  ["mqtt", brokerMetrics],
  ["database", databaseMetrics],
  ["http", httpMetrics],
  ["rest", []],
]);

const ofConnectors = [...new Set([...BY_TYPE.values(), otherMetrics])].flat();

/** All metrics that there are, in the order of the text. */
export const definitions: readonly Definition[] = [
  ...flowMetrics,
  ...ofConnectors,
  ...processMetrics,
  ...workerMetrics,
];

/** The metrics of one runtime. */
export class RuntimeMetrics implements Metrics {
  readonly #flows: FlowMetrics[] = [];
  readonly #process = new ProcessMetrics();

  /** Returns what watches a flow. */
  observe(flow: FlowModel): FlowObserver {
    const metrics = new FlowMetrics(flow);
    this.#flows.push(metrics);
    return metrics;
  }

  collect(connectors: readonly ScrapedConnector[]): MetricsData {
    return [
      ...collectFlows(this.#flows),
      ...ofConnectors.map((metric) => collect(metric, connectors)),
      ...this.#process.collect(),
    ];
  }

  close(): void {
    this.#process.close();
  }
}

function collect(metric: ConnectorMetric, connectors: readonly ScrapedConnector[]): MetricData {
  const having = connectors.filter(({ type }) =>
    (BY_TYPE.get(type) ?? otherMetrics).includes(metric)
  );
  const values = having.flatMap((connector) =>
    metric.read(connector).map(({ labels, ...value }): MetricValue => ({
      ...value,
      labels: { connector: connector.name, ...labels },
    }))
  );
  return { ...dataOf(metric), values };
}
