/** Finds the connections that a message or a command is for, and sends to them. */
import { ConnectorError } from "../../base/errors.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import { holds } from "../../expression/condition.ts";
import { type Expression, METER, Meter, meterOf, type Scope } from "../../expression/mod.ts";
import type { Frame } from "../../transport/frame.ts";
import { roomProblem } from "./protocol.ts";
import type { OpenConnection, Registry } from "./registry.ts";
import type { Shared } from "./parts.ts";

/** Steps that a filter may cost for each recipient, beside those that the event has left. */
const STEPS_PER_RECIPIENT = 100;

/** The group that a message is for, before a selection leaves any out. */
export interface Audience {
  /** Such as `send_to_room`. */
  readonly operation: string | undefined;
  /** The room, the user or the client's `id`; absent for a broadcast. */
  readonly name?: string;
}

/** Which members of a group are left out. */
export interface Selection {
  /** Evaluated for each recipient as `client`; false leaves it out. */
  readonly filter: Expression | undefined;
  /** The `id` of a client to leave out; undefined for none. */
  readonly except: string | undefined;
  /** The filter's variables beside `client`. */
  readonly scope: Scope;
}

/** The result of a message or a command. */
export interface Delivered {
  /** To how many connections it was sent, or for how many it was executed. */
  readonly recipients: number;
  /** How many connections refused a command; absent for a message. */
  readonly refused?: number;
}

/**
 * The audience of a flow's message.
 *
 * @throws {ConnectorError} The request does not name it, or names an invalid room.
 */
export function audienceOf(
  connector: string,
  { operation, target, payload }: WriteRequest,
): Audience {
  switch (operation) {
    case "send_to_room":
      return { operation, name: roomOf(connector, target) };
    case "send_to_user":
      return { operation, name: target ?? userIn(connector, payload) };
    case "send_to_client":
      if (target === undefined) fail(connector, "send_to_client needs a target: the client's id");
      return { operation, name: target };
    default:
      return { operation };
  }
}

/** Queues a frame for an audience in this process. Returns the number of recipients. */
export function deliver(
  { registry, outboxes }: Pick<Shared, "registry" | "outboxes">,
  frame: Frame,
  audience: Audience,
  selection: Selection,
): number {
  const group = groupOf(registry, audience);
  const everybody = selection.filter === undefined && selection.except === undefined;
  if (everybody && group instanceof Set && outboxes.broadcast(frame, group)) return group.size;
  let count = 0;
  for (const recipient of everybody ? group : select(group, selection)) {
    if (recipient.send(frame)) count++;
  }
  return count;
}

/**
 * The selected members of a group. All are selected before anything is sent, so that a filter that
 * fails sends to none.
 *
 * @throws {ExpressionError} The filter failed for one of them.
 */
export function select<Member extends Pick<OpenConnection, "id" | "client">>(
  group: Iterable<Member>,
  { filter, except, scope }: Selection,
): readonly Member[] {
  const members = [...group].filter(({ id }) => id === undefined || id !== except);
  if (filter === undefined) return members;
  const meter = meterOf(scope) ?? new Meter();
  meter.grant(STEPS_PER_RECIPIENT * members.length);
  const seen: Record<string, unknown> & Scope = { ...variablesOf(filter, scope), [METER]: meter };
  return members.filter(({ client }) => {
    seen.client = client;
    return holds(filter, seen);
  });
}

/**
 * The filter's variables, read once for all recipients, and by name because a scope may make them
 * when they are read.
 */
export function variablesOf(filter: Expression, scope: Scope): Record<string, unknown> {
  const names = [...filter.variables].filter((name) => name !== "client");
  return Object.fromEntries(names.map((name) => [name, scope[name]]));
}

function groupOf(registry: Registry, { operation, name = "" }: Audience): Iterable<OpenConnection> {
  switch (operation) {
    case "send_to_room":
      return registry.inRoom(name);
    case "send_to_user":
      return registry.ofUser(name);
    case "send_to_client":
      return registry.ofClient(name);
    default:
      return registry.all;
  }
}

function roomOf(connector: string, target: string | undefined): string {
  const problem = roomProblem(target);
  if (target === undefined || problem !== undefined) fail(connector, `send_to_room: ${problem}`);
  return target;
}

function userIn(connector: string, payload: unknown): string {
  const { user_id } = (payload ?? {}) as { readonly user_id?: unknown };
  if (typeof user_id === "string" || typeof user_id === "number") return String(user_id);
  fail(connector, "send_to_user needs a target or a payload with user_id");
}

function fail(connector: string, message: string): never {
  throw new ConnectorError(connector, message, { permanent: true });
}
