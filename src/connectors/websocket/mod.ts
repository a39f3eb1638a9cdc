/**
 * The `websocket` connector: rooms, users, broadcasts, and the flows that clients start.
 *
 * May import access/, base/, contract/, expression/ and transport/.
 *
 * A handshake goes through `hub.ts` and `admission.ts` to a `connection.ts`. A frame goes through
 * `connection.ts`, `queue.ts` (order and limits) and `frames.ts` to a flow. What a flow sends goes
 * through `write` in `hub.ts`, `recipients.ts` and `outbox.ts` to sockets, and through `relay.ts` to
 * other workers. All of them share one object (`shared.ts`). Types of frames are in `protocol.ts`,
 * close codes in `closing.ts`, counters in `counters.ts`, attributes in `options.ts`.
 */
import {
  type CodedProblem,
  type ConnectorType,
  defineConnector,
} from "../../contract/definition.ts";
import { CONTROL_TYPES, RESERVED_TYPES, TYPE_FORM, TYPE_PATTERN } from "./protocol.ts";
import type { Connector, ConnectorContext } from "../../contract/connector.ts";
import { type AuthOptions, checkAuth, withoutKeys } from "../../access/auth/fields.ts";
import { loadAuthenticator } from "../../access/auth/load.ts";
import { demandsOf } from "../../access/proxies.ts";
import { checkControl, CONTROL_OPERATIONS, isControl } from "./control.ts";
import { Hub } from "./hub.ts";
import { destinationFields, fields, type WebSocketOptions } from "./options.ts";
import { namesIn, unusedRooms } from "./rooms/fields.ts";
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
  check({ path, ping_interval, pong_timeout, auth, origins, slow_client }): CodedProblem[] {
    const problems: CodedProblem[] = [
      ...checkAuth(auth, origins),
      ...checkSlowClient(slow_client),
    ];
    if (URL.parse(path, "http://host")?.pathname !== path) {
      problems.push({
        code: "invalid-path",
        attribute: "path",
        message: `has an invalid path: ${JSON.stringify(path)}`,
        hint: 'a path starts with "/" and has no "..", "?", "#" or characters that need escaping',
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
    ...(folder === undefined ? [] : [{ path: folder, kind: "folder" as const }]),
    ...[tls?.cert, tls?.key].flatMap((path) =>
      path === undefined ? [] : [{ path, kind: "file" as const }]
    ),
  ],
  address: ({ host, port, path }) => `${host}:${port}${path}`,
  listener: demandsOf,
  rules: { block: "room", condition: "join" },
  source: {
    kind: "clients",
    gates: ["connect", "join_room"],
    handshake: "connect",
    metadata: METADATA,
    verifies: ({ auth }) => auth !== undefined,
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
    check(to): CodedProblem[] {
      const { operation, target, options: { user, exclude_sender }, fromClient } = to;
      if (exclude_sender && fromClient === false) {
        return [{
          code: "unused-attribute",
          attribute: "exclude_sender",
          message: "has exclude_sender, although no connection sends the event",
          severity: "warning",
        }];
      }
      if (isControl(operation)) return checkControl(operation, to);
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
          return target === undefined ? [needsTarget("the room")] : [];
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
    },
  },
  // It opens nothing but the URL of keys, and a test names the users of its clients.
  test: (options) => ({ ...options, auth: options.auth && withoutKeys(options.auth) }),
  create: (options, context) =>
    options.auth === undefined
      ? new Hub(options, context)
      : createWithAuth(options, options.auth, context),
});

/** Whether events of an operation can have a room: the start and the end of a connection have none. */
function hasRoom(operation: string | undefined): boolean {
  return operation !== "connect" && operation !== "disconnect";
}

function needsTarget(what: string): CodedProblem {
  return { code: "missing-target", message: `needs a target: ${what}` };
}

async function createWithAuth(
  options: WebSocketOptions,
  auth: AuthOptions,
  context: ConnectorContext,
): Promise<Connector> {
  return new Hub(options, context, await loadAuthenticator(auth, context));
}
