/** What a scrape sees of the connectors of a runtime. */
import type { Connector } from "../contract/connector.ts";
import type { Measured, ScrapedConnector } from "../contract/metrics.ts";
import type { ConnectorModel } from "../model/mod.ts";

/** The error of a call for metrics where there are none. */
export function metricsAreOff(): TypeError {
  return new TypeError("metrics are off; start the service with the option metrics: true");
}

/** Reads their numbers. `counts` has those of `runtime.counts()`, `health` what is not well. */
export function scraped(
  models: Iterable<ConnectorModel>,
  connectors: ReadonlyMap<string, Connector & Partial<Measured>>,
  counts: Readonly<Record<string, Readonly<Record<string, number>>>>,
  health: Readonly<Record<string, string>>,
): readonly ScrapedConnector[] {
  return [...models].map(({ name, type }) => {
    const measures = connectors.get(name)?.measures?.() ?? {};
    const numbers = { ...counts[name], ...measures.numbers };
    return { ...measures, numbers, name, type, healthy: !Object.hasOwn(health, name) };
  });
}
