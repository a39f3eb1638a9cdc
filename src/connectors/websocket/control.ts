/** The operations of a flow that change connections: they join and leave rooms, and disconnect. */
import { kindName } from "../../base/shown.ts";
import { ConnectorError } from "../../base/errors.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import type { CodedProblem, Destination } from "../../contract/definition.ts";
import type { Expression, Scope } from "../../expression/mod.ts";
import { unusedFrame } from "./frame-type.ts";
import type { WebSocketDestinationOptions } from "./options.ts";
import { roomProblem } from "./protocol.ts";
import { type Delivered, select, type Selection } from "./recipients.ts";
import type { OpenConnection } from "./registry.ts";
import type { Shared } from "./shared.ts";

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
  { target, options: { user, frame }, fromClient }: Destination<WebSocketDestinationOptions>,
): CodedProblem[] {
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
  return problems;
}

/** What to do, and to which connections: to those of a user, or to the one of a client. */
export interface ControlCommand {
  readonly operation: ControlOperation;
  /** Absent for `disconnect`. */
  readonly room?: string;
  readonly user?: string;
  readonly client?: string;
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
  const { user } = options as WebSocketDestinationOptions;
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
  return { operation, room: target, ...recipient } as ControlCommand;
}

/** For how many connections a command was executed, and how many refused it. */
export type Executed = Required<Delivered>;

/**
 * Executes a command for the connections of this process: for all that are selected or for none,
 * whether or not it changes anything for them.
 *
 * @throws {ExpressionError} The filter failed: nothing has been done.
 */
export function execute(
  { registry, options }: Shared,
  command: ControlCommand,
  selection: Selection,
): Executed {
  const { operation, room = "", user, client = "" } = command;
  const group = user === undefined ? registry.ofClient(client) : registry.ofUser(user);
  const selected = select(group, selection);
  const isFull = ({ state: { rooms } }: OpenConnection) =>
    !rooms.has(room) && rooms.size >= options.max_rooms;
  if (operation === "join_room" && selected.some(isFull)) {
    return { recipients: 0, refused: selected.length };
  }
  for (const connection of selected) {
    if (operation === "join_room") registry.join(connection, room);
    else if (operation === "leave_room") registry.leave(connection, room);
    else connection.end(1008, "disconnected by a flow");
  }
  return { recipients: selected.length, refused: 0 };
}

/**
 * The result of a command for its flow.
 *
 * @throws {ConnectorError} Connections have refused it.
 */
export function resultOf(
  { name, options }: Shared,
  { operation }: ControlCommand,
  executed: Executed,
): Executed {
  const { recipients, refused } = executed;
  if (refused === 0) return executed;
  fail(
    name,
    `${operation}: ${refused} of ${recipients + refused} connections have not joined, ` +
      `because each may be in ${options.max_rooms} rooms (max_rooms)`,
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
