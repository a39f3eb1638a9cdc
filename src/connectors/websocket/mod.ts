/**
 * The `websocket` connector: rooms, users, broadcasts, and the flows that clients start.
 *
 * May import access/, base/, contract/, expression/ and transport/.
 *
 * A handshake goes through `hub.ts` and `admission.ts` to a `connection.ts`, or to `refused/` where the
 * client can see why it is refused. A frame goes through `connection.ts`, `queue.ts` (order and limits)
 * and `frames.ts` to a flow. What a flow sends goes through `write` in `hub.ts`, `recipients.ts` and
 * `outbox.ts` to sockets, and through `instances/` to the clients of other instances. All of them share
 * one object (`parts.ts`). How rooms are joined is in `joining.ts`, types of frames in `protocol.ts`,
 * close codes in `closing.ts`, counters in `counters.ts`, attributes in `options.ts`. What a room has
 * beside its messages is a feature (`room-feature.ts`) in a separate folder, such as `presence/`, loaded
 * where the options ask for it.
 */
import {
  type CodedProblem,
  type ConnectorType,
  defineConnector,
  type Destination,
} from "../../contract/definition.ts";
import { CONTROL_TYPES, RESERVED_TYPES, TYPE_FORM, TYPE_PATTERN } from "./protocol.ts";
import type { Connector, ConnectorContext } from "../../contract/connector.ts";
import { checkAuth, withoutKeys } from "../../access/auth/fields.ts";
import { loadAuthenticator } from "../../access/auth/load.ts";
import { demandsOf } from "../../access/proxies.ts";
import { checkControl, CONTROL_OPERATIONS, isControl, unused } from "./control.ts";
import { checkHistoryStep, HISTORY } from "./history/listing.ts";
import { checkKept, isKept } from "./history/checks.ts";
import { Hub, type MakeFeature } from "./hub.ts";
import {
  destinationFields,
  fields,
  type WebSocketDestinationOptions,
  type WebSocketOptions,
} from "./options.ts";
import { checkPresence, checkPresenceStep, hasPresence, PRESENCE } from "./presence/checks.ts";
import { closedRoom, namesIn, type RoomOptions, unusedRooms } from "./rooms/fields.ts";
import { checkSlowClient } from "./slow-client/fields.ts";

/** The operations of a flow's `to`. */
export const DESTINATION_OPERATIONS = [
  "broadcast",
  "send_to_room",
  "send_to_user",
  "send_to_client",
  ...CONTROL_OPERATIONS,
] as const;

/** The fields of `input` beside those of the payload; the last five only in (dis)connect events. */
const METADATA = [
  ...["data", "event", "client_id", "user_id", "room", "message_id"],
  ...["remote_addr", "code", "reason", "rooms", "duration_ms"],
];

/** The connector of `type = "websocket"`. */
export const websocketConnector: ConnectorType = defineConnector({
  fields,
  check(options): CodedProblem[] {
    const { path, sse, client, ping_interval, pong_timeout, auth, origins, slow_client } = options;
    const problems: CodedProblem[] = [
      ...checkAuth(auth, origins),
      ...checkSlowClient(slow_client),
      ...checkPresence(options),
      ...checkPath("path", path),
      ...(sse === undefined ? [] : checkPath("sse", sse)),
      ...(client === undefined ? [] : checkPath("client", client)),
    ];
    if (sse === path) {
      problems.push({
        code: "duplicate-address",
        attribute: "sse",
        message: "has the same path for sse and for WebSockets",
        hint: 'such as sse = "/events"',
      });
    }
    if (client !== undefined && (client === path || client === sse)) {
      problems.push({
        code: "duplicate-address",
        attribute: "client",
        message: `has the same path for client and for ${client === path ? "WebSockets" : "sse"}`,
        hint: 'such as client = "/weir.js"',
      });
    }
    if (pong_timeout > ping_interval) {
      problems.push({
        code: "invalid-limits",
        attribute: "pong_timeout",
        message: "has a pong_timeout longer than its ping_interval",
        hint: "a pong must be due before the next ping",
      });
    }
    return problems;
  },
  checkUsage: (usage, { room }) => unusedRooms(room, usage),
  files: ({ static: folder, tls }) => [
    ...(folder === undefined
      ? []
      : [{ path: folder, kind: "folder" as const, attribute: "static" }]),
    ...[tls?.cert, tls?.key].flatMap((path) =>
      path === undefined ? [] : [{ path, kind: "file" as const }]
    ),
  ],
  address: ({ host, port, path, sse, client }) =>
    [path, sse, client].flatMap((one) => one === undefined ? [] : [`${host}:${port}${one}`]),
  listener: demandsOf,
  linkedBy: ({ backplane }) => backplane,
  remembers: ({ room }) => ({
    block: "room",
    labels: room.flatMap(({ history, pattern }) => history === undefined ? [] : [pattern.text]),
  }),
  rules: { block: "room", condition: "join" },
  telemetry: async () => (await import("./telemetry.ts")).telemetry,
  source: {
    kind: "clients",
    gates: ["connect", "join_room"],
    handshake: "connect",
    metadata: METADATA,
    verifies: ({ auth }) => auth !== undefined,
    streams: ({ sse }) => sse !== undefined,
    matchNames: (operation, { room }) => hasRoom(operation) ? namesIn(room) : [],
    check(operation): CodedProblem[] {
      if (operation === undefined) return [];
      if (CONTROL_TYPES.has(operation)) {
        return [{
          code: "invalid-operation",
          attribute: "operation",
          message: `cannot start a flow on "${operation}": the protocol itself answers it`,
        }];
      }
      if (RESERVED_TYPES.has(operation) && hasRoom(operation)) {
        return [{
          code: "invalid-operation",
          attribute: "operation",
          message: `cannot start a flow on "${operation}": only the server sends it`,
        }];
      }
      return TYPE_PATTERN.test(operation) ? [] : [{
        code: "invalid-operation",
        attribute: "operation",
        message: `cannot start a flow on "${operation}": it is not a valid frame type`,
        hint: TYPE_FORM,
      }];
    },
  },
  destination: {
    fields: destinationFields,
    operations: DESTINATION_OPERATIONS,
    check: (to, { room }) => checkDestination(to, room),
    checkAmong: (to, usage, { room }) => closedRoom(to, room, usage),
    keeps: (to, { room }) => isKept(to, room),
  },
  step: {
    fields: destinationFields,
    operations: [...DESTINATION_OPERATIONS, PRESENCE, HISTORY],
    check(step, options) {
      if (step.operation === PRESENCE) return checkPresenceStep(step, options);
      if (step.operation === HISTORY) return checkHistoryStep(step);
      return checkDestination(step, options.room);
    },
  },
  // It opens nothing but the URL of keys, and a test names the users of its clients. What changes in
  // a room is told at once, since a test's clock does not move by itself.
  test: (options) => ({
    ...options,
    auth: options.auth && withoutKeys(options.auth),
    room: options.room.map((one) =>
      one.presence === undefined ? one : { ...one, presence: { ...one.presence, interval: 0 } }
    ),
  }),
  create: (options, context) =>
    isPlain(options) ? new Hub(options, context) : createWithParts(options, context),
});

/** Whether a connector needs no part that is loaded only where it is used. */
function isPlain({ auth, sse, client, room }: WebSocketOptions): boolean {
  return auth === undefined && sse === undefined && client === undefined &&
    room.every(({ presence, history }) => presence === undefined && history === undefined);
}

/** Checks a block that sends to clients or changes their connections. */
function checkDestination(
  to: Destination<WebSocketDestinationOptions>,
  rooms: readonly RoomOptions[] | undefined,
): CodedProblem[] {
  const { operation, target, options: { user, exclude_sender, history, message_id }, fromClient } =
    to;
  if (exclude_sender && fromClient === false) {
    return [{
      code: "unused-attribute",
      attribute: "exclude_sender",
      message: "has exclude_sender, although no connection sends the event",
      severity: "warning",
    }];
  }
  if (isControl(operation)) return checkControl(operation, to);
  if (history) return [unused("history", operation ?? "it", "join_room")];
  if (message_id !== undefined && operation !== undefined && operation !== "send_to_room") {
    return [{ ...unused("message_id", operation, "send_to_room"), severity: "warning" }];
  }
  if (user !== undefined) {
    const message = `has a user, which ${operation ?? "it"} does not use`;
    const hint = `${CONTROL_OPERATIONS.join(", ")} use it`;
    return [{ code: "unused-attribute", attribute: "user", message, hint }];
  }
  switch (operation) {
    case undefined:
      return [{
        code: "missing-operation",
        message: "needs an operation",
        hint: `one of ${DESTINATION_OPERATIONS.join(", ")}`,
      }];
    case "send_to_room":
      return target === undefined ? [needsTarget("the room")] : checkKept(to, rooms);
    case "send_to_client":
      return target === undefined ? [needsTarget("the client's id")] : [];
    case "broadcast":
      return target === undefined ? [] : [{
        code: "unused-attribute",
        attribute: "target",
        message: "has a target, which broadcast does not use",
        hint: "send_to_room, send_to_user and send_to_client use it",
      }];
    default:
      return [];
  }
}

function checkPath(attribute: "path" | "sse" | "client", path: string): CodedProblem[] {
  if (URL.parse(path, "http://host")?.pathname === path) return [];
  const meant = pathIn(path);
  return [{
    code: "invalid-path",
    attribute,
    message: `has an invalid path: ${JSON.stringify(path)}`,
    hint: meant === undefined
      ? 'a path starts with "/" and has no "..", "?", "#" or characters that need escaping'
      : `write "${meant}"`,
  }];
}

/** The path of a URL, or what lacks its first slash; undefined where that is not all. */
function pathIn(text: string): string | undefined {
  const url = URL.parse(text);
  if (url !== null) return /^(?:wss?|https?):$/.test(url.protocol) ? url.pathname : undefined;
  return /^[\w.~-]+(?:\/[\w.~-]+)*$/.test(text) && !text.includes("..") ? `/${text}` : undefined;
}

/** Whether events of an operation can have a room: the start and the end of a connection have none. */
function hasRoom(operation: string | undefined): boolean {
  return operation !== "connect" && operation !== "disconnect";
}

function needsTarget(what: string): CodedProblem {
  const hint = 'such as target = "input.room", or a name';
  return { code: "missing-target", message: `needs a target: ${what}`, hint };
}

/** Loads what the options need beside the connector itself. */
async function createWithParts(
  options: WebSocketOptions,
  context: ConnectorContext,
): Promise<Connector> {
  const { auth, sse, client, room } = options;
  const features: MakeFeature[] = [];
  if (hasPresence(options)) {
    const { Presence } = await import("./presence/mod.ts");
    features.push((shared) => new Presence(shared, context));
  }
  const keeps = room.some(({ history }) => history !== undefined);
  return new Hub(options, context, {
    authenticator: auth && await loadAuthenticator(auth, context),
    features,
    routes: client === undefined
      ? undefined
      : (await import("./library/mod.ts")).serveLibrary(client),
    createStreams: sse === undefined ? undefined : (await import("./sse/mod.ts")).createStreams,
    createHistory: keeps ? (await import("./history/mod.ts")).createHistory : undefined,
  });
}
