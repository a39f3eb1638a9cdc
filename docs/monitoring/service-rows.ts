/** The rows of a whole service: how it is, its flows, its processes. */
import { lines, number, type Row, states, wide } from "./panels.ts";
import { by, grown, of, perSecond, quantile } from "./queries.ts";

const FAILED = 'outcome=~"failed|timeout"';
const HANDLED = 'outcome!="filtered"';
const CONNECTED = [
  "weir_broker_connected",
  "weir_database_connected",
  "weir_http_connected",
  "weir_connector_healthy",
];
const good = { color: "green", value: null };

/** What to look at first. */
export const health: Row = {
  title: "Service health",
  panels: [
    number(
      "Instances that answer",
      "percentunit",
      "The share of the targets of Prometheus that answer it.",
      [`avg(${of("up")})`, ""],
      { steps: [{ color: "red", value: null }, { color: "green", value: 1 }] },
    ),
    number(
      "Connectors that are not connected",
      "none",
      "Brokers, databases, APIs and plugins that some instance cannot use. The bars below name them.",
      [
        `count(${CONNECTED.map((metric) => `${of(metric)} == 0`).join(" or ")}) or vector(0)`,
        "",
      ],
      { steps: [good, { color: "red", value: 1 }] },
    ),
    number(
      "Events that fail",
      "percentunit",
      "The share of the events of all flows that fail or time out.",
      [
        `sum(${perSecond("weir_flow_events_total", FAILED)}) / (sum(${
          perSecond("weir_flow_events_total", HANDLED)
        }) > 0) or vector(0)`,
        "",
      ],
      { steps: [good, { color: "orange", value: 0.01 }, { color: "red", value: 0.05 }] },
    ),
    number("Events", "ops", "Events that flows handle each second.", [
      `sum(${perSecond("weir_flow_events_total", HANDLED)})`,
      "",
    ]),
    number("Clients", "short", "Clients that are connected, streams included.", [
      `sum(${of("weir_websocket_connections")})`,
      "",
    ]),
    number(
      "Version",
      "none",
      "The versions of Weir and of the runtimes that run it.",
      [by("version, runtime", of("weir_build_info")), "{{version}}, {{runtime}}"],
      { words: true },
    ),
    states(
      "Connectors",
      "Whether all instances can use a broker, a database, an API or a plugin.",
      ...CONNECTED.map((metric) =>
        [`min by (connector) (${of(metric)})`, "{{connector}}"] as const
      ),
    ),
    wide(
      12,
      lines(
        "What may be lost",
        "short",
        "Messages that failed for good, and outages in which messages may have been missed.",
        [by("connector", grown("weir_broker_dead_letters_total")), "dead letters of {{connector}}"],
        [
          by("connector", grown("weir_broker_messages_received_total", 'settlement="discard"')),
          "discarded of {{connector}}",
        ],
        [by("connector", grown("weir_broker_gaps_total")), "gaps of {{connector}}"],
        [by("connector", grown("weir_database_gaps_total")), "gaps of {{connector}}"],
        [
          by("connector", grown("weir_websocket_backplane_gaps_total")),
          "gaps of the backplane of {{connector}}",
        ],
      ),
    ),
  ],
};

/** What flows do with events. */
export const flows: Row = {
  title: "Flows",
  panels: [
    lines("Events by outcome", "ops", "Events of all flows by how they ended.", [
      by("outcome", perSecond("weir_flow_events_total")),
      "{{outcome}}",
    ]),
    lines("Events by flow", "ops", "Events that were not left out by a filter.", [
      by("flow", perSecond("weir_flow_events_total", HANDLED)),
      "{{flow}}",
    ]),
    lines(
      "Failures by flow",
      "ops",
      "Events that failed, timed out, or were taken by a fallback.",
      [
        by(
          "flow, outcome",
          perSecond("weir_flow_events_total", 'outcome=~"failed|timeout|fallback"'),
        ),
        "{{flow}}: {{outcome}}",
      ],
    ),
    lines("Duration, median", "s", "Half of the events of a flow take no longer.", [
      quantile(0.5, "flow", "weir_flow_duration_seconds"),
      "{{flow}}",
    ]),
    lines("Duration, 99 %", "s", "99 of 100 events of a flow take no longer.", [
      quantile(0.99, "flow", "weir_flow_duration_seconds"),
      "{{flow}}",
    ]),
    lines(
      "Events in flight",
      "short",
      "Events that flows work on now. It rises while something that they need is slow.",
      [by("flow", of("weir_flow_in_flight")), "{{flow}}"],
    ),
    lines("Destinations, 99 %", "s", "99 of 100 deliveries take no longer.", [
      quantile(0.99, "flow, connector", "weir_destination_duration_seconds"),
      "{{flow}} to {{connector}}",
    ]),
    lines("Steps, 99 %", "s", "99 of 100 requests of steps take no longer.", [
      quantile(0.99, "flow, connector", "weir_step_duration_seconds"),
      "{{flow}} asks {{connector}}",
    ]),
    lines(
      "Failed requests and retries",
      "ops",
      "Failed deliveries and steps by connector, and repeated deliveries by flow.",
      [
        by("flow, connector", perSecond("weir_destination_failures_total")),
        "{{flow}} to {{connector}}",
      ],
      [by("flow, connector", perSecond("weir_step_failures_total")), "{{flow}} asks {{connector}}"],
      [by("flow", perSecond("weir_flow_retries_total")), "{{flow}} retries"],
    ),
    lines(
      "Skipped runs of schedules",
      "short",
      "Runs that were skipped, since the previous one had not ended.",
      [by("flow", grown("weir_schedule_skipped_total")), "{{flow}}"],
    ),
  ],
};

/** What the processes use. */
export const processes: Row = {
  title: "Process",
  panels: [
    lines(
      "Processor",
      "percentunit",
      "The share of a core that an instance uses. An event loop uses one core at most.",
      [by("instance, mode", perSecond("weir_process_cpu_seconds_total")), "{{instance}} {{mode}}"],
    ),
    lines("Memory", "bytes", "Memory that an instance occupies.", [
      by("instance", of("weir_process_resident_memory_bytes")),
      "{{instance}}",
    ]),
    lines(
      "Lag of the event loop, 99 %",
      "s",
      "99 of 100 timers are late by no more. It rises while something blocks the event loop.",
      [quantile(0.99, "instance", "weir_event_loop_lag_seconds"), "{{instance}}"],
    ),
    lines(
      "Workers",
      "short",
      "Workers that run, and those that were started again. Only a service with workers has them.",
      [by("instance", of("weir_workers_running")), "{{instance}} running"],
      [by("instance", grown("weir_worker_restarts_total")), "{{instance}} restarts"],
    ),
    lines("Duration of a scrape", "s", "How long an instance takes to answer Prometheus.", [
      of("scrape_duration_seconds"),
      "{{instance}}",
    ]),
    lines("Series", "short", "How many numbers a scrape has. Clients must not change it.", [
      of("scrape_samples_scraped"),
      "{{instance}}",
    ]),
  ],
};
