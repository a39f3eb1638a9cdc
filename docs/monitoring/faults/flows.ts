/** Faults of clients, of flows and of APIs. */
import { fails, type Faults, GOOD, type Line, type Moves, type Symptoms } from "../symptom.ts";

/** A series of the connector "ws". */
const ws = (name: string, label: string) => `weir_websocket_${name}{connector="ws",${label}}`;

/** What is told of clients, which the service can do nothing about. */
function ofClients(series: string, alert?: string, log?: Line): Symptoms {
  return { metrics: { [series]: "grows" }, log, health: GOOD, ...(alert && { alert }) };
}

/** An API, which is asked anew for each event. */
const apiFails = (reason: string, alert?: string, more: Moves = {}) =>
  fails(`connector "api": ${reason}`, {
    'weir_http_failures_total{connector="api"}': "grows",
    ...more,
  }, alert);

/** Clients, flows and APIs. */
export const flows = {
  "`max_connections` clients are connected": ofClients(
    ws("handshakes_total", 'result="full"'),
    "WeirHandshakesRefusedAtCapacity",
  ),
  "a client has no token, or a bad one": ofClients(ws("handshakes_total", 'result="auth"')),
  "the keys that tokens are verified with cannot be fetched": ofClients(
    ws("handshakes_total", 'result="auth"'),
    undefined,
    ["error", "failed to fetch the keys at {where}: {reason}"],
  ),
  "a client sends a frame that is not JSON": ofClients(ws("errors_total", 'code="invalid_json"')),
  "a client goes on sending such frames": ofClients(
    ws("server_closes_total", 'reason="errors"'),
  ),
  "a client reads too slowly, with `drop_oldest`": ofClients(
    ws("frames_unsent_total", 'reason="dropped"'),
    "WeirMessagesDropped",
  ),
  "a client reads too slowly, with `coalesce`": ofClients(
    ws("frames_unsent_total", 'reason="coalesced"'),
  ),
  "a client reads too slowly, with `disconnect`": ofClients(
    ws("server_closes_total", 'reason="slow"'),
    "WeirSlowClientsClosed",
    ["warning", "closing client {id}: it reads too slowly"],
  ),
  "a client does not answer pings": ofClients(ws("server_closes_total", 'reason="pong"')),
  "the look-up of a room's rule fails": ofClients(
    ws("errors_total", 'code="flow_failed"'),
    undefined,
    ["error", "the rule of room {pattern} failed (ref {ref}): {reason}"],
  ),
  "an expression of a flow fails": fails(
    '{place} (flow "work", transform: n): {expression} failed: {reason}',
    {},
  ),
  "a flow takes longer than its `timeout`": {
    metrics: { 'weir_flow_events_total{flow="work",outcome="timeout"}': "grows" },
    log: ["error", 'flow work failed (ref {ref}): at "sink": timed out after 100 ms'],
    health: GOOD,
    alert: "WeirFlowFails",
  },
  "a flow takes longer than its schedule": {
    metrics: { 'weir_schedule_skipped_total{flow="work"}': "grows" },
    log: [
      "warning",
      "skipped the run due at {time}, since the previous one has not ended",
    ],
    health: GOOD,
    alert: "WeirScheduleSkips",
  },
  "an API is down": apiFails("{request} failed: the connection was refused", "WeirApiUnreachable", {
    'weir_http_connected{connector="api"}': 0,
  }),
  "an API does not answer in time": apiFails(
    "{request} took longer than 200 ms",
    "WeirApiUnreachable",
    {
      'weir_http_connected{connector="api"}': 0,
    },
  ),
  "an API answers 401": apiFails("{request} was answered with the status 401"),
} satisfies Faults;
