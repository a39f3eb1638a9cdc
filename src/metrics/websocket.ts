/** The metrics of `websocket` connectors. */
import {
  type ConnectorMetric,
  counter,
  gauge,
  labelled,
  number,
  ofConnectors,
  parts,
  prefixed,
} from "./definition.ts";

const CLOSES = "weir_websocket_closes_total";

/** Connections, frames and closes, presence, history and the other instances. */
export const websocketMetrics: readonly ConnectorMetric[] = [
  ofConnectors(
    gauge("weir_websocket_connections", "Clients that are connected, streams included."),
    number("connections"),
  ),
  ofConnectors(
    gauge(
      "weir_websocket_rooms",
      "Rooms with members. With workers, a room counts once for each worker that has members of it.",
    ),
    number("rooms"),
  ),
  ofConnectors(
    gauge(
      "weir_websocket_users",
      "Users with a connection. With workers, a user counts once for each worker.",
    ),
    number("users"),
  ),
  ofConnectors(
    counter(
      "weir_websocket_handshakes_total",
      "Handshakes by their result: accepted, or why they were refused.",
      ["result"],
    ),
    (connector) => [
      ...parts("result", { accepted: "accepted" })(connector),
      ...prefixed("result", "refused_")(connector),
    ],
  ),
  ofConnectors(
    counter(
      "weir_websocket_frames_received_total",
      "Frames of clients by type: invalid without a valid form, other where nothing serves the type.",
      ["type"],
    ),
    labelled("type", "frames_received"),
  ),
  ofConnectors(
    counter("weir_websocket_errors_total", "Answers with an error by code.", ["code"]),
    prefixed("code", "error_"),
  ),
  ofConnectors(
    counter("weir_websocket_frames_sent_total", "Frames that were handed to the sockets."),
    number("frames_sent"),
  ),
  ofConnectors(
    counter(
      "weir_websocket_sent_bytes_total",
      "Bytes of the frames that were handed to the sockets, before compression.",
    ),
    number("bytes_sent"),
  ),
  ofConnectors(
    gauge("weir_websocket_queue_bytes", "Bytes that wait for clients that do not read them."),
    number("queued_bytes"),
  ),
  ofConnectors(
    counter(
      "weir_websocket_frames_unsent_total",
      "Frames that were not sent: dropped or coalesced for a slow client, undelivered at its end.",
      ["reason"],
    ),
    parts("reason", {
      dropped: "dropped",
      coalesced: "coalesced",
      undelivered: "undelivered",
    }),
  ),
  ofConnectors(
    counter(
      "weir_websocket_server_closes_total",
      "Connections that the server ended, by reason: slow for a slow client, pong for a lost ping.",
      ["reason"],
    ),
    prefixed("reason", "closed_"),
  ),
  ofConnectors(
    counter(CLOSES, "Connections that ended, by the side that closed them and the close code.", [
      "by",
      "code",
    ]),
    (connector) => [
      ...labelled("code", "closes_by_server", { by: "server" })(connector),
      ...labelled("code", "closes_by_client", { by: "client" })(connector),
    ],
  ),
  ofConnectors(
    gauge("weir_websocket_presence_members", "Members of rooms with presence."),
    number("presence_members"),
  ),
  ofConnectors(
    counter("weir_websocket_presence_frames_total", "Presence frames that were sent."),
    number("presence_frames"),
  ),
  ofConnectors(
    gauge("weir_websocket_history_rooms", "Rooms whose history this process has or follows."),
    number("history_rooms"),
  ),
  ofConnectors(
    gauge("weir_websocket_history_messages", "Messages in the history that this process keeps."),
    number("history_messages"),
  ),
  ofConnectors(
    counter(
      "weir_websocket_history_resumes_total",
      "Joins that asked for what they had missed: all was there (resumed), or not (unrecovered).",
      ["result"],
    ),
    parts("result", { resumed: "history_resumed", unrecovered: "history_unrecovered" }),
  ),
  ofConnectors(
    counter(
      "weir_websocket_history_caught_up_total",
      "Kept messages that were read from the backplane after a gap.",
    ),
    number("history_caught_up"),
  ),
  ofConnectors(
    gauge(
      "weir_websocket_backplane_instances",
      "Instances of the service that this one knows, itself included.",
      [],
      "max",
    ),
    number("instances"),
  ),
  ofConnectors(
    gauge("weir_websocket_backplane_topics", "Topics of the backplane that are listened to."),
    number("backplane_topics"),
  ),
  ofConnectors(
    counter(
      "weir_websocket_backplane_messages_total",
      "Messages over the backplane: sent, received, unknown if they may have been sent, unreadable.",
      ["result"],
    ),
    parts("result", {
      sent: "backplane_sent",
      received: "backplane_received",
      unknown: "backplane_unknown",
      unreadable: "backplane_unreadable",
    }),
  ),
  ofConnectors(
    counter(
      "weir_websocket_backplane_gaps_total",
      "Times that this instance was cut off from the backplane and may have missed messages.",
    ),
    number("backplane_gaps"),
  ),
  ofConnectors(
    counter(
      "weir_websocket_filter_gaps_total",
      "Messages of other instances whose filter cannot be used here: they reach no client of this one.",
    ),
    number("filter_gaps"),
  ),
];
