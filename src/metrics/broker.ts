/** The metrics of `mq` and `mqtt` connectors. */
import {
  type ConnectorMetric,
  counter,
  gauge,
  healthy,
  number,
  ofConnectors,
  parts,
} from "./definition.ts";

/** The connection, and messages in and out. */
export const brokerMetrics: readonly ConnectorMetric[] = [
  ofConnectors(
    gauge(
      "weir_broker_connected",
      "1 while the broker can be published to and consumed from, else 0.",
      [],
      "min",
    ),
    healthy,
  ),
  ofConnectors(
    counter("weir_broker_reconnects_total", "Outages of the broker that have ended."),
    number("reconnects"),
  ),
  ofConnectors(
    counter(
      "weir_broker_deliveries_total",
      "Messages that the broker delivered, repeats included.",
    ),
    number("consumed"),
  ),
  ofConnectors(
    counter(
      "weir_broker_messages_received_total",
      "Messages by settlement: ack if handled, requeue if redelivered, dead_letter or discard.",
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
    counter(
      "weir_broker_redeliveries_total",
      "Failed deliveries after which a message came again.",
    ),
    number("retried"),
  ),
  ofConnectors(
    counter("weir_broker_dead_letters_total", "Messages that failed for good and were kept."),
    number("dead_lettered"),
  ),
  ofConnectors(
    counter("weir_broker_unrouted_total", "Acknowledged messages that no flow takes."),
    number("unrouted"),
  ),
  ofConnectors(
    counter(
      "weir_broker_claimed_total",
      "Messages of dead consumers of a Redis group that were taken over.",
    ),
    number("claimed"),
  ),
  ofConnectors(
    gauge("weir_broker_messages_in_flight", "Messages whose flows run or wait for a retry."),
    number("handling"),
  ),
  ofConnectors(
    gauge(
      "weir_broker_queued_messages",
      "Messages that wait in this process until flows are free.",
    ),
    // Brokers have one of both names.
    (connector) => ["queued", "waiting"].flatMap((name) => number(name)(connector)).slice(0, 1),
  ),
  ofConnectors(
    counter("weir_broker_published_total", "Messages that the broker accepted."),
    number("published"),
  ),
  ofConnectors(
    counter(
      "weir_broker_publish_failures_total",
      "Messages that the broker did not accept in time.",
    ),
    number("unpublished"),
  ),
  ofConnectors(
    gauge(
      "weir_broker_publishes_outstanding",
      "Messages that were published and that the broker has not confirmed yet.",
    ),
    number("outstanding"),
  ),
  ofConnectors(
    counter("weir_broker_gaps_total", "Outages in which messages may have been missed."),
    number("gaps"),
  ),
];
