/** What flows do to connections: they let them join and leave rooms, and end them. */
import type { WriteRequest } from "../../connector.ts";
import type { Complaint, Destination } from "../../connector-type.ts";
import { ConnectorError } from "../../errors.ts";
import type { Expression, Scope } from "../../expression.ts";
import { roomProblem } from "../../protocol.ts";
import type { Connection } from "./connection.ts";
import type { WebSocketDestinationOptions, WebSocketOptions } from "./options.ts";
import { choose } from "./recipients.ts";

/** The operations that send nothing. */
export const CONTROL_OPERATIONS = ["join_room", "leave_room", "disconnect"] as const;

/** One of them. */
type ControlOperation = typeof CONTROL_OPERATIONS[number];

/** Whether an operation sends nothing. */
export function isControl(operation: string | undefined): operation is ControlOperation {
  return (CONTROL_OPERATIONS as readonly (string | undefined)[]).includes(operation);
}

/** Checks a `to` block with such an operation. */
export function checkControl(
  operation: ControlOperation,
  { target, options: { user }, fromClient }: Destination<WebSocketDestinationOptions>,
): Complaint[] {
  const complaints: Complaint[] = [];
  if (operation === "disconnect" && target !== undefined) {
    const hint = "user says whom it ends";
    complaints.push({ attribute: "target", message: "takes no target for a disconnect", hint });
  } else if (operation !== "disconnect" && target === undefined) {
    complaints.push({ message: "needs a target: the room" });
  }
  if (user === undefined && fromClient === false) {
    complaints.push({ message: "needs a user: no client's connection sends the event" });
  }
  return complaints;
}

/** What controlling connections needs of their hub. */
export interface ControlHost {
  readonly name: string;
  readonly options: WebSocketOptions;
  /** The open connections of a user. */
  ofUser(user: string): Iterable<Connection>;
  /** The open connection of a client. */
  ofClient(id: string): Connection | undefined;
  /** Makes a connection a member. */
  join(connection: Connection, room: string): void;
  /** Ends a membership. */
  leave(connection: Connection, room: string): void;
}

/**
 * Does what a flow says to all connections of a user, or to the one that its event came from. Gives
 * how many connections it was done to, whether or not it changed anything for them.
 *
 * @throws {ConnectorError} Nobody or no room is named, or a connection is in too many rooms.
 * @throws {ExpressionError} An expression failed.
 */
export function control(
  hub: ControlHost,
  operation: ControlOperation,
  { target, options, scope, event }: WriteRequest,
): { readonly recipients: number } {
  const { user, filter, exclude_sender } = options as WebSocketDestinationOptions;
  const sender = event?.client?.id;
  const group = user === undefined
    ? senderOf(hub, operation, sender)
    : hub.ofUser(nameOf(hub, operation, user, scope));
  const except = exclude_sender ? sender : undefined;
  const chosen = choose(group, { filter, except, scope });
  if (operation === "disconnect") {
    for (const connection of chosen) connection.end(1008, "disconnected by a flow");
    return { recipients: chosen.length };
  }
  const problem = roomProblem(target);
  if (target === undefined || problem !== undefined) fail(hub, `${operation}: ${problem}`);
  if (operation === "join_room") refuseFull(hub, chosen, target);
  for (const connection of chosen) {
    if (operation === "join_room") hub.join(connection, target);
    else hub.leave(connection, target);
  }
  return { recipients: chosen.length };
}

/** One that has left meanwhile is nobody, and no error. */
function senderOf(
  hub: ControlHost,
  operation: string,
  sender: string | undefined,
): readonly Connection[] {
  if (sender === undefined) fail(hub, `${operation} needs a user: no client sent the event`);
  const connection = hub.ofClient(sender);
  return connection === undefined ? [] : [connection];
}

/** Anything but text or a number must never become a user called "null". */
function nameOf(hub: ControlHost, operation: string, user: Expression, scope: Scope): string {
  const value = user.evaluate(scope);
  if (typeof value === "string" || typeof value === "number") return String(value);
  const kind = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  fail(hub, `${operation}: the user "${user.source}" is ${kind}, not a name`);
}

/** Before anybody joins: an operation that fails leaves nobody half way. */
function refuseFull(hub: ControlHost, chosen: readonly Connection[], room: string): void {
  const { max_rooms } = hub.options;
  const full = chosen.find(({ rooms }) => !rooms.has(room) && rooms.size >= max_rooms);
  if (full === undefined) return;
  fail(hub, `join_room: client ${full.client.id} is in ${max_rooms} rooms already`);
}

function fail(hub: ControlHost, message: string): never {
  throw new ConnectorError(hub.name, message, { permanent: true });
}
