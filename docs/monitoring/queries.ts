/** The queries of the dashboard, in PromQL. */

/** The chosen service and instances. */
const CHOSEN = 'job=~"$job", instance=~"$instance"';

/** The series of a metric, also with more labels, such as `outcome="ok"`. */
export function of(metric: string, more = ""): string {
  return `${metric}{${CHOSEN}${more === "" ? "" : `, ${more}`}}`;
}

/** The sums of series that have the same values of these labels. */
export function by(labels: string, expr: string): string {
  return `sum by (${labels}) (${expr})`;
}

/** The sums of the series of each connector. */
export function connector(expr: string): string {
  return by("connector", expr);
}

/** How much a counter grows each second. */
export function perSecond(metric: string, more?: string): string {
  return `rate(${of(metric, more)}[$__rate_interval])`;
}

/** How much a counter has grown between two points. */
export function grown(metric: string, more?: string): string {
  return `increase(${of(metric, more)}[$__rate_interval])`;
}

/** The duration that a share of the events does not exceed. */
export function quantile(share: number, labels: string, metric: string): string {
  return `histogram_quantile(${share}, ${by(`${labels}, le`, perSecond(`${metric}_bucket`))})`;
}
