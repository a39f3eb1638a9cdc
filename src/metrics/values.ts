/** Values of metrics in the form that the client library takes. */
import type { Histogram } from "../base/histogram.ts";
import type { MetricValue } from "../contract/metrics.ts";

/** The values of a histogram: how many there were up to each bound, their sum and their number. */
export function histogramValues(
  metric: string,
  { bounds, counts, sum }: Pick<Histogram, "bounds" | "counts" | "sum">,
  labels: MetricValue["labels"],
): readonly MetricValue[] {
  let count = 0;
  const buckets = counts.map((own, index) => {
    count += own;
    const le = bounds[index] ?? "+Inf";
    return { metricName: `${metric}_bucket`, value: count, labels: { ...labels, le } };
  });
  return [
    ...buckets,
    { metricName: `${metric}_sum`, value: sum, labels },
    { metricName: `${metric}_count`, value: count, labels },
  ];
}
