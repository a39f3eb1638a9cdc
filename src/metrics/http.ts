/** The metrics of `http` connectors, and of those that plugins bring. */
import {
  type ConnectorMetric,
  counter,
  gauge,
  healthy,
  number,
  ofConnectors,
  prefixed,
} from "./definition.ts";

/** Requests to an API. */
export const httpMetrics: readonly ConnectorMetric[] = [
  ofConnectors(
    gauge(
      "weir_http_connected",
      "1 unless the latest attempt got no answer from the API, whatever the status; else 0.",
      [],
      "min",
    ),
    ({ numbers: { unanswered = 0 } = {} }) => [{ value: unanswered > 0 ? 0 : 1, labels: {} }],
  ),
  ofConnectors(
    counter("weir_http_requests_total", "Requests of flows."),
    number("requests"),
  ),
  ofConnectors(
    counter("weir_http_retries_total", "Attempts after the first one of a request."),
    number("retried"),
  ),
  ofConnectors(
    counter("weir_http_failures_total", "Requests that failed after their last attempt."),
    number("failed"),
  ),
  ofConnectors(
    gauge("weir_http_connections_in_use", "Requests that are on their way."),
    number("in_flight"),
  ),
  ofConnectors(
    gauge("weir_http_connections_max", "Requests that may be on their way at once."),
    number("pool_max"),
  ),
  ofConnectors(
    gauge("weir_http_waiting", "Requests that wait for a connection."),
    number("waiting"),
  ),
];

/** Connectors of other types: whether they can serve, and what they count. */
export const otherMetrics: readonly ConnectorMetric[] = [
  ofConnectors(
    gauge(
      "weir_connector_healthy",
      "1 while a connector of a plugin can serve, else 0.",
      [],
      "min",
    ),
    healthy,
  ),
  ofConnectors(
    gauge("weir_connector_number", "What a connector of a plugin counts, by name.", ["name"]),
    prefixed("name", ""),
  ),
];
