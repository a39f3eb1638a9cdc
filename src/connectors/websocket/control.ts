/** The operations of a flow that change connections: they join and leave rooms, and disconnect. */
import { kindName } from "../../base/shown.ts";
import { ConnectorError } from "../../base/errors.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import type { CodedProblem, Destination } from "../../contract/definition.ts";
import type { Expression, Scope } from "../../expression/mod.ts";
import { BY_FLOW } from "./closing.ts";
import { unusedFrame } from "./frame-type.ts";
import { type Executed, joinAll } from "./joining.ts";
import type { WebSocketDestinationOptions } from "./options.ts";
import { roomProblem } from "./protocol.ts";
import { type Delivered, select, type Selection } from "./recipients.ts";
import type { Shared } from "./parts.ts";

/** The operations that send nothing. */
export const CONTROL_OPERATIONS = ["join_room", "leave_room", "disconnect"] as const;

/** One of them. */
export type ControlOperation = typeof CONTROL_OPERATIONS[number];

/** Whether an operation sends nothing. */
export function isControl(operation: string | undefined): operation is ControlOperation {
  return (CONTROL_OPERATIONS as readonly (string | undefined)[]).includes(operation);
}

/** Checks a `to` block with such an operation. */
export function checkControl(
  operation: ControlOperation,
  to: Destination<WebSocketDestinationOptions>,
): CodedProblem[] {
  const { target, options: { user, frame, message_id, history }, fromClient } = to;
  const problems: CodedProblem[] = [];
  if (operation === "disconnect" && target !== undefined) {
    const hint = "user selects the connections";
    const message = "has a target, which disconnect does not use";
    problems.push({ code: "unused-attribute", attribute: "target", message, hint });
  } else if (operation !== "disconnect" && target === undefined) {
    problems.push({ code: "missing-target", message: "needs a target: the room" });
  }
  if (user === undefined && fromClient === false) {
    const message = "needs a user, because no client sends the event";
    problems.push({ code: "missing-user", message });
  }
  if (frame !== undefined) problems.push(unusedFrame(operation));
  if (message_id !== undefined) problems.push(unused("message_id", operation, "send_to_room"));
  if (history && operation !== "join_room") {
    problems.push(unused("history", operation, "join_room"));
  }
  return problems;
}

/** What to do, and to which connections: to those of a user, or to the one of a client. */
export interface ControlCommand {
  readonly operation: ControlOperation;
  /** Absent for `disconnect`. */
  readonly room?: string;
  readonly user?: string;
  readonly client?: string;
  /** Only for `join_room`: the connections get offsets, and what they have missed. */
  readonly history?: boolean;
}

/** The problem of an attribute that another operation uses. */
export function unused(
  attribute: "message_id" | "history",
  operation: string,
  used: string,
): CodedProblem {
  return {
    code: "unused-attribute",
    attribute,
    message: `has a ${attribute}, which ${operation} does not use`,
    hint: `${used} uses it`,
  };
}

/**
 * The command of a flow's `to`.
 *
 * @throws {ConnectorError} It names no connection or no room.
 * @throws {ExpressionError} The `user` failed.
 */
export function commandOf(
  connector: string,
  operation: ControlOperation,
  { target, options, scope, event }: WriteRequest,
): ControlCommand {
  const { user, history } = options as WebSocketDestinationOptions;
  const sender = event?.client?.id ?? undefined;
  if (user === undefined && sender === undefined) {
    fail(connector, `${operation} needs a user, because no client sent the event`);
  }
  const recipient = user === undefined
    ? { client: sender }
    : { user: nameOf(connector, operation, user, scope) };
  if (operation === "disconnect") return { operation, ...recipient } as ControlCommand;
  const problem = roomProblem(target);
  if (target === undefined || problem !== undefined) fail(connector, `${operation}: ${problem}`);
  const asked = history && operation === "join_room" ? { history } : {};
  return { operation, room: target, ...recipient, ...asked } as ControlCommand;
}

/**
 * Executes a command for the connections of this process: for all that are selected or for none,
 * whether or not it changes anything for them. Returns a promise only where a room is joined that is
 * not listened to yet; it never rejects.
 *
 * @throws {ExpressionError} The filter failed: nothing has been done.
 */
export function execute(
  shared: Shared,
  { operation, room = "", user, client = "", history = false }: ControlCommand,
  selection: Selection,
): Executed | Promise<Executed> {
  const { registry } = shared;
  const group = user === undefined ? registry.ofClient(client) : registry.ofUser(user);
  const selected = select(group, selection);
  if (operation === "join_room") return joinAll(shared, selected, room, history);
  for (const connection of selected) {
    if (operation === "leave_room") registry.leave(connection, room);
    else connection.end(1008, BY_FLOW);
  }
  return { recipients: selected.length, refused: 0, unsubscribed: 0 };
}

/**
 * The result of a command for its flow.
 *
 * @throws {ConnectorError} Connections have refused it. It is permanent where each of them may be in
 * no further room.
 */
export function resultOf(
  { name, options }: Shared,
  { operation }: ControlCommand,
  { recipients, refused, unsubscribed }: Executed,
): Delivered {
  if (refused === 0) return { recipients, refused };
  const how = `${operation}: ${refused} of ${recipients + refused} connections have not joined`;
  if (unsubscribed === 0) {
    fail(name, `${how}, because each may be in ${options.max_rooms} rooms (max_rooms)`);
  }
  throw new ConnectorError(
    name,
    `${how}, ${unsubscribed} of them because the room could not be listened to`,
  );
}

/** The name of a user. Only text and numbers are names: null must never become a user "null". */
function nameOf(connector: string, operation: string, user: Expression, scope: Scope): string {
  const value = user.evaluate(scope);
  if (typeof value === "string" || typeof value === "number") return String(value);
  fail(connector, `${operation}: the user "${user.source}" is ${kindName(value)}, not a name`);
}

function fail(connector: string, message: string): never {
  throw new ConnectorError(connector, message, { permanent: true });
}
