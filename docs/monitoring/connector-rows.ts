/** The rows of connectors, by their kind. */
import { lines, type Row } from "./panels.ts";
import { by, connector, grown, of, perSecond } from "./queries.ts";

/** Clients, and the other instances. */
export const websocket: Row = {
  title: "WebSocket",
  panels: [
    lines(
      "Clients, users and rooms",
      "short",
      "Connections, users with a connection, and rooms with members.",
      [connector(of("weir_websocket_connections")), "clients of {{connector}}"],
      [connector(of("weir_websocket_users")), "users of {{connector}}"],
      [connector(of("weir_websocket_rooms")), "rooms of {{connector}}"],
    ),
    lines("Handshakes", "ops", "Accepted handshakes, and refused ones by reason.", [
      by("connector, result", perSecond("weir_websocket_handshakes_total")),
      "{{connector}}: {{result}}",
    ]),
    lines(
      "Ends of connections",
      "ops",
      "By the side that closed them and the close code.",
      [
        by("by, code", perSecond("weir_websocket_closes_total")),
        "{{by}} {{code}}",
      ],
    ),
    lines("Frames received", "ops", "Frames of clients by type.", [
      by("type", perSecond("weir_websocket_frames_received_total")),
      "{{type}}",
    ]),
    lines("Frames sent", "ops", "Frames that were handed to the sockets.", [
      connector(perSecond("weir_websocket_frames_sent_total")),
      "{{connector}}",
    ]),
    lines("Bytes sent", "Bps", "Bytes of these frames, before compression.", [
      connector(perSecond("weir_websocket_sent_bytes_total")),
      "{{connector}}",
    ]),
    lines("Errors by code", "ops", "Answers with an error.", [
      by("code", perSecond("weir_websocket_errors_total")),
      "{{code}}",
    ]),
    lines("Queues of slow clients", "bytes", "Bytes that wait for clients that do not read them.", [
      connector(of("weir_websocket_queue_bytes")),
      "{{connector}}",
    ]),
    lines(
      "Slow clients and other closes",
      "ops",
      "Frames that were not sent, and connections that the server ended, by reason.",
      [by("reason", perSecond("weir_websocket_frames_unsent_total")), "frames: {{reason}}"],
      [by("reason", perSecond("weir_websocket_server_closes_total")), "closes: {{reason}}"],
    ),
    lines(
      "Presence",
      "short",
      "Members of rooms with presence, and presence frames each second.",
      [connector(of("weir_websocket_presence_members")), "members of {{connector}}"],
      [connector(perSecond("weir_websocket_presence_frames_total")), "frames of {{connector}}"],
    ),
    lines(
      "History",
      "short",
      "Rooms and messages in the history of each process.",
      [connector(of("weir_websocket_history_rooms")), "rooms of {{connector}}"],
      [connector(of("weir_websocket_history_messages")), "messages of {{connector}}"],
    ),
    lines(
      "Resumed joins",
      "ops",
      "Joins that asked for what they had missed, and messages read again after a gap.",
      [by("result", perSecond("weir_websocket_history_resumes_total")), "joins: {{result}}"],
      [connector(perSecond("weir_websocket_history_caught_up_total")), "read by {{connector}}"],
    ),
    lines(
      "Known instances",
      "short",
      "How many instances each instance knows. All must agree.",
      [of("weir_websocket_backplane_instances"), "{{instance}} of {{connector}}"],
    ),
    lines("Messages between instances", "ops", "Messages over the backplane by result.", [
      by("result", perSecond("weir_websocket_backplane_messages_total")),
      "{{result}}",
    ]),
    lines(
      "Topics and filter gaps",
      "short",
      "Topics that are listened to, and messages whose filter another instance cannot use.",
      [connector(of("weir_websocket_backplane_topics")), "topics of {{connector}}"],
      [connector(grown("weir_websocket_filter_gaps_total")), "filter gaps of {{connector}}"],
    ),
  ],
};

/** Messages in and out. */
export const brokers: Row = {
  title: "Brokers",
  panels: [
    lines("Messages by settlement", "ops", "How messages of brokers ended.", [
      by("connector, settlement", perSecond("weir_broker_messages_received_total")),
      "{{connector}}: {{settlement}}",
    ]),
    lines(
      "Deliveries",
      "ops",
      "Messages that brokers delivered, repeats included, and failed deliveries that came again.",
      [connector(perSecond("weir_broker_deliveries_total")), "{{connector}}"],
      [connector(perSecond("weir_broker_redeliveries_total")), "{{connector}} again"],
    ),
    lines(
      "Messages that wait",
      "short",
      "Messages whose flows run, and messages that wait until flows are free.",
      [connector(of("weir_broker_messages_in_flight")), "{{connector}} in flight"],
      [connector(of("weir_broker_queued_messages")), "{{connector}} queued"],
    ),
    lines(
      "Publishes",
      "ops",
      "Messages that brokers accepted, and those that they did not accept in time.",
      [connector(perSecond("weir_broker_published_total")), "{{connector}}"],
      [connector(perSecond("weir_broker_publish_failures_total")), "{{connector}} failed"],
    ),
    lines(
      "Publishes without a confirmation",
      "short",
      "Messages that were published and that the broker has not confirmed yet.",
      [connector(of("weir_broker_publishes_outstanding")), "{{connector}}"],
    ),
    lines(
      "Reconnects and odd messages",
      "short",
      "Ended outages, messages that no flow takes, and messages taken over from dead consumers.",
      [connector(grown("weir_broker_reconnects_total")), "reconnects of {{connector}}"],
      [connector(grown("weir_broker_unrouted_total")), "unrouted of {{connector}}"],
      [connector(grown("weir_broker_claimed_total")), "claimed by {{connector}}"],
    ),
  ],
};

/** Databases, APIs, and what plugins count. */
export const databases: Row = {
  title: "Databases and HTTP",
  panels: [
    lines(
      "Pools of databases",
      "short",
      "Connections in use, and how many there may be.",
      [connector(of("weir_database_pool_connections_in_use")), "{{connector}} in use"],
      [connector(of("weir_database_pool_connections_max")), "{{connector}} at most"],
    ),
    lines("Requests that wait", "short", "Requests that wait for a connection.", [
      connector(of("weir_database_pool_waiting")),
      "{{connector}}",
    ], [connector(of("weir_http_waiting")), "{{connector}}"]),
    lines(
      "Writes of a commit",
      "short",
      "How many writes share a commit on average, and commits each second.",
      [
        `${connector(perSecond("weir_database_commit_writes_sum"))} / ${
          connector(perSecond("weir_database_commit_writes_count"))
        }`,
        "writes of {{connector}}",
      ],
      [connector(perSecond("weir_database_commit_writes_count")), "commits of {{connector}}"],
    ),
    lines(
      "Changes",
      "ops",
      "Changes and notifications of databases: deliveries, and how they ended.",
      [connector(perSecond("weir_database_change_deliveries_total")), "{{connector}} delivered"],
      [
        by("connector, settlement", perSecond("weir_database_changes_received_total")),
        "{{connector}}: {{settlement}}",
      ],
    ),
    lines("Lag of changes", "bytes", "Bytes that the server keeps for changes not handled yet.", [
      `max by (connector) (${of("weir_database_change_lag_bytes")})`,
      "{{connector}}",
    ]),
    lines("Reconnects", "short", "Ended outages of database servers.", [
      connector(grown("weir_database_reconnects_total")),
      "{{connector}}",
    ]),
    lines(
      "Requests to APIs",
      "reqps",
      "Requests of flows, retries of them, and those that failed for good.",
      [connector(perSecond("weir_http_requests_total")), "{{connector}}"],
      [connector(perSecond("weir_http_retries_total")), "{{connector}} retries"],
      [connector(perSecond("weir_http_failures_total")), "{{connector}} failed"],
    ),
    lines(
      "Connections to APIs",
      "short",
      "Requests on their way, and how many there may be at once.",
      [connector(of("weir_http_connections_in_use")), "{{connector}} in use"],
      [connector(of("weir_http_connections_max")), "{{connector}} at most"],
    ),
    lines("Plugins", "short", "What connectors of plugins count.", [
      by("connector, name", of("weir_connector_number")),
      "{{connector}}: {{name}}",
    ]),
  ],
};
