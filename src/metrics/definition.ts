/** What a metric is: its name, its meaning and how the value of a connector is read. */
import type { MetricData, MetricValue, ScrapedConnector } from "../contract/metrics.ts";
import { histogramValues } from "./values.ts";

/** What is known of a metric before it has a value. `docs/metrics.md` has a row for each. */
export interface Definition extends Omit<MetricData, "values"> {
  /** The names of its labels. */
  readonly labels: readonly string[];
}

/** A metric of connectors. */
export interface ConnectorMetric extends Definition {
  /** Its values for one connector, without the label `connector`; none where it does not have it. */
  read(connector: ScrapedConnector): readonly MetricValue[];
}

/** Reads values of a connector. */
type Read = ConnectorMetric["read"];

/** What is known of a metric, as the client library takes it. */
export function dataOf({ name, help, type, aggregator }: Definition): Omit<MetricData, "values"> {
  return { name, help, type, aggregator };
}

/** A number that only grows. */
export function counter(name: string, help: string, labels: readonly string[] = []): Definition {
  return { name, help, type: "counter", aggregator: "sum", labels };
}

/** A number that rises and falls; the values of several processes are added up by default. */
export function gauge(
  name: string,
  help: string,
  labels: readonly string[] = [],
  aggregator: Definition["aggregator"] = "sum",
): Definition {
  return { name, help, type: "gauge", aggregator, labels };
}

/** Values by their size. */
export function histogram(name: string, help: string, labels: readonly string[] = []): Definition {
  return { name, help, type: "histogram", aggregator: "sum", labels };
}

/** A metric of connectors, which all have the label `connector`. */
export function ofConnectors(definition: Definition, read: Read): ConnectorMetric {
  return { ...definition, labels: ["connector", ...definition.labels], read };
}

/** The number of this name. */
export function number(name: string): Read {
  return ({ numbers = {} }) => Object.hasOwn(numbers, name) ? [plain(numbers[name])] : [];
}

/** Numbers that are the parts of one, by the value of a label. */
export function parts(label: string, names: Readonly<Record<string, string>>): Read {
  return ({ numbers = {} }) =>
    Object.entries(names).flatMap(([value, name]) =>
      Object.hasOwn(numbers, name) ? [{ value: numbers[name], labels: { [label]: value } }] : []
    );
}

/** All numbers whose name begins so, by the rest of their name. */
export function prefixed(label: string, prefix: string): Read {
  return ({ numbers = {} }) =>
    Object.entries(numbers).filter(([name]) => name.startsWith(prefix))
      .map(([name, value]) => ({ value, labels: { [label]: name.slice(prefix.length) } }));
}

/** The labelled numbers of this name. `labels` are the same for all of them. */
export function labelled(
  label: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Read {
  return ({ labelled = {} }) =>
    Object.entries(labelled[name] ?? {}).map(([key, value]) => ({
      value,
      labels: { ...labels, [label]: key },
    }));
}

/** The histogram of this name; `metric` is the name of the metric. */
export function sizes(metric: string, name: string): Read {
  return ({ histograms = {} }) =>
    Object.hasOwn(histograms, name) ? histogramValues(metric, histograms[name], {}) : [];
}

/** 1 while the connector can serve, else 0. */
export const healthy: Read = ({ healthy }) => [plain(healthy ? 1 : 0)];

function plain(value: number): MetricValue {
  return { value, labels: {} };
}
