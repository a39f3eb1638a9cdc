/**
 * The `websocket` connector: rooms, users, broadcasts, and the flows that clients start.
 *
 * May import base/, contract/, expression/ and transport/.
 */
import {
  type CodedProblem,
  type ConnectorType,
  defineConnector,
} from "../../contract/definition.ts";
import { CONTROL_TYPES, RESERVED_TYPES, TYPE_PATTERN } from "./protocol.ts";
import type { Connector, ConnectorContext } from "../../contract/connector.ts";
import { type AuthOptions, checkAuth, withoutKeys } from "./auth/fields.ts";
import { checkControl, CONTROL_OPERATIONS, isControl } from "./control.ts";
import { Hub } from "./hub.ts";
import { destinationFields, fields, type WebSocketOptions } from "./options.ts";
import { unusedRooms } from "./rooms/unused.ts";
import { checkSlowClient } from "./slow-client/fields.ts";

/** The operations of a flow's `to`. */
export const DESTINATION_OPERATIONS = [
  "broadcast",
  "send_to_room",
  "send_to_user",
  "send_to_client",
  ...CONTROL_OPERATIONS,
] as const;

/** What stands on `input` beside the payload's fields; the last five at the ends of a connection. */
const METADATA = [
  ...["data", "event", "client_id", "user_id", "room"],
  ...["remote_addr", "code", "reason", "rooms", "duration_ms"],
];

/** The kind of connector that `type = "websocket"` names. */
export const websocketConnector: ConnectorType = defineConnector({
  fields,
  check({ path, ping_interval, pong_timeout, auth, origins, slow_client }): CodedProblem[] {
    const complaints: CodedProblem[] = [
      ...checkAuth(auth, origins),
      ...checkSlowClient(slow_client),
    ];
    if (URL.parse(path, "http://host")?.pathname !== path) {
      complaints.push({
        code: "invalid-path",
        attribute: "path",
        message: `has a path that is not plain: ${JSON.stringify(path)}`,
        hint: 'it begins with "/" and has neither "..", "?", "#" nor characters to be escaped',
      });
    }
    if (pong_timeout > ping_interval) {
      complaints.push({
        code: "invalid-limits",
        attribute: "pong_timeout",
        message: "has a pong_timeout longer than its ping_interval",
        hint: "a verdict must come before the next ping",
      });
    }
    return complaints;
  },
  checkUsage: (usage, { room }) => unusedRooms(room, usage),
  address: ({ host, port, path }) => `${host}:${port}${path}`,
  source: {
    kind: "clients",
    gates: ["connect", "join_room"],
    metadata: METADATA,
    verifies: ({ auth }) => auth !== undefined,
    check(operation): CodedProblem[] {
      if (operation === undefined) return [];
      if (CONTROL_TYPES.has(operation)) {
        return [{
          code: "invalid-operation",
          attribute: "operation",
          message: `starts no flow on "${operation}": the protocol itself answers it`,
        }];
      }
      const lifecycle = operation === "connect" || operation === "disconnect";
      if (RESERVED_TYPES.has(operation) && !lifecycle) {
        return [{
          code: "invalid-operation",
          attribute: "operation",
          message: `starts no flow on "${operation}": only the server sends it`,
        }];
      }
      return TYPE_PATTERN.test(operation) ? [] : [{
        code: "invalid-operation",
        attribute: "operation",
        message: `starts no flow on "${operation}", which is no type of a frame`,
        hint: "1 to 64 of A-Z a-z 0-9 _ . : -",
      }];
    },
  },
  destination: {
    fields: destinationFields,
    operations: DESTINATION_OPERATIONS,
    check(to): CodedProblem[] {
      const { operation, target, options: { user } } = to;
      if (isControl(operation)) return checkControl(operation, to);
      if (user !== undefined) {
        const message = `takes no user for ${operation ?? "this"}`;
        const hint = `${CONTROL_OPERATIONS.join(", ")} take one`;
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
            message: "takes no target for a broadcast",
            hint: "send_to_room, send_to_user and send_to_client take one",
          }];
        default:
          return [];
      }
    },
  },
  // It opens nothing by itself but the address of keys; a test says who its clients are.
  test: (options) => ({ ...options, auth: options.auth && withoutKeys(options.auth) }),
  create: (options, context) =>
    options.auth === undefined
      ? new Hub(options, context)
      : createWithAuth(options, options.auth, context),
});

function needsTarget(what: string): CodedProblem {
  return { code: "missing-target", message: `needs a target: ${what}` };
}

/** What checks tokens is loaded where it is needed. */
async function createWithAuth(
  options: WebSocketOptions,
  auth: AuthOptions,
  context: ConnectorContext,
): Promise<Connector> {
  const { createAuthenticator } = await import("./auth/authenticator.ts");
  const { name, clock, logger, constants } = context;
  const scope = { constants };
  return new Hub(options, context, await createAuthenticator(auth, { name, clock, logger, scope }));
}
