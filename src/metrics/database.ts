/** The metrics of `database` connectors. */
import {
  type ConnectorMetric,
  counter,
  gauge,
  healthy,
  histogram,
  number,
  ofConnectors,
  parts,
  sizes,
} from "./definition.ts";

const COMMITS = "weir_database_commit_writes";

/** The server, its connections, commits and changes. */
export const databaseMetrics: readonly ConnectorMetric[] = [
  ofConnectors(
    gauge("weir_database_connected", "1 while the database can be used, else 0.", [], "min"),
    healthy,
  ),
  ofConnectors(
    counter(
      "weir_database_reconnects_total",
      "Outages of the database server that have ended; none of a file.",
    ),
    number("reconnects"),
  ),
  ofConnectors(
    gauge("weir_database_pool_connections_in_use", "Connections of the pool that are in use."),
    number("pool_busy"),
  ),
  ofConnectors(
    gauge("weir_database_pool_connections_max", "Connections that the pool may have."),
    number("pool_max"),
  ),
  ofConnectors(
    gauge("weir_database_pool_waiting", "Requests that wait for a connection of the pool."),
    number("pool_waiting"),
  ),
  ofConnectors(
    histogram(COMMITS, "Writes that shared one commit, by their number."),
    sizes(COMMITS, "commits"),
  ),
  ofConnectors(
    counter(
      "weir_database_change_deliveries_total",
      "Changes and notifications that flows got, repeats included.",
    ),
    number("consumed"),
  ),
  ofConnectors(
    counter(
      "weir_database_changes_received_total",
      "Changes and notifications by settlement: ack, requeue, dead_letter or discard.",
      ["settlement"],
    ),
    parts("settlement", {
      ack: "acked",
      requeue: "retried",
      dead_letter: "dead_lettered",
      discard: "discarded",
    }),
  ),
  ofConnectors(
    gauge(
      "weir_database_change_lag_bytes",
      "Bytes of the write-ahead log that the server keeps for changes not handled yet.",
      [],
      "max",
    ),
    number("change_lag_bytes"),
  ),
  ofConnectors(
    counter("weir_database_gaps_total", "Outages in which changes may have been missed."),
    number("gaps"),
  ),
];
