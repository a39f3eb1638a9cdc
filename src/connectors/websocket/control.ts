/** What flows do to connections: they let them join and leave rooms, and end them. */
import type { WriteRequest } from "../../contract/connector.ts";
import type { Complaint, Destination } from "../../contract/definition.ts";
import { ConnectorError } from "../../base/errors.ts";
import type { Expression, Scope } from "../../expression/mod.ts";
import { roomProblem } from "./protocol.ts";
import type { Connection } from "./connection.ts";
import type { WebSocketDestinationOptions, WebSocketOptions } from "./options.ts";
import { type Choice, choose, type Delivered } from "./recipients.ts";

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
  /** The open connection of a client: one that has left meanwhile is nobody, and no error. */
  ofClient(id: string): readonly Connection[];
  /** Makes a connection a member. */
  join(connection: Connection, room: string): void;
  /** Ends a membership. */
  leave(connection: Connection, room: string): void;
}

/** What is to be done, and to whom: to all connections of a user, or to one client. */
export interface Order {
  readonly operation: ControlOperation;
  /** Absent for `disconnect`. */
  readonly room?: string;
  readonly user?: string;
  readonly client?: string;
}

/**
 * Reads what a flow wants.
 *
 * @throws {ConnectorError} Nobody or no room is named.
 * @throws {ExpressionError} The `user` failed.
 */
export function orderOf(
  hub: ControlHost,
  operation: ControlOperation,
  { target, options, scope, event }: WriteRequest,
): Order {
  const { user } = options as WebSocketDestinationOptions;
  const sender = event?.client?.id;
  if (user === undefined && sender === undefined) {
    fail(hub, `${operation} needs a user: no client sent the event`);
  }
  const whom = user === undefined
    ? { client: sender }
    : { user: nameOf(hub, operation, user, scope) };
  if (operation === "disconnect") return { operation, ...whom } as Order;
  const problem = roomProblem(target);
  if (target === undefined || problem !== undefined) fail(hub, `${operation}: ${problem}`);
  return { operation, room: target, ...whom } as Order;
}

/** To how many connections an order was done, and to how many it could not be done. */
export type Done = Required<Delivered>;

/**
 * Does it to the connections of this process: to all that are meant or to none, whether or not it
 * changes anything for them.
 *
 * @throws {ExpressionError} The filter failed: nothing has been done.
 */
export function carryOut(hub: ControlHost, order: Order, choice: Choice): Done {
  const { operation, room = "", user, client = "" } = order;
  const group = user === undefined ? hub.ofClient(client) : hub.ofUser(user);
  const chosen = choose(group, choice);
  if (operation === "join_room" && chosen.some((connection) => isFull(hub, connection, room))) {
    return { recipients: 0, refused: chosen.length };
  }
  for (const connection of chosen) {
    if (operation === "join_room") hub.join(connection, room);
    else if (operation === "leave_room") hub.leave(connection, room);
    else connection.end(1008, "disconnected by a flow");
  }
  return { recipients: chosen.length, refused: 0 };
}

/**
 * What an order's flow gets as its result.
 *
 * @throws {ConnectorError} It could not be done to all connections.
 */
export function resultOf(hub: ControlHost, order: Order, done: Done): Done {
  const { recipients, refused } = done;
  if (refused === 0) return done;
  fail(
    hub,
    `${order.operation}: ${refused} of ${recipients + refused} connections have not joined, ` +
      `since each may be in ${hub.options.max_rooms} rooms (max_rooms)`,
  );
}

/** Anything but text or a number must never become a user called "null". */
function nameOf(hub: ControlHost, operation: string, user: Expression, scope: Scope): string {
  const value = user.evaluate(scope);
  if (typeof value === "string" || typeof value === "number") return String(value);
  const kind = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  fail(hub, `${operation}: the user "${user.source}" is ${kind}, not a name`);
}

function isFull(hub: ControlHost, { rooms }: Connection, room: string): boolean {
  return !rooms.has(room) && rooms.size >= hub.options.max_rooms;
}

function fail(hub: ControlHost, message: string): never {
  throw new ConnectorError(hub.name, message, { permanent: true });
}
