/** For whom something is, and who of them gets it. */
import { holds } from "../../expression/condition.ts";
import type { Client, WriteRequest } from "../../contract/connector.ts";
import { ConnectorError } from "../../base/errors.ts";
import { type Expression, METER, Meter, meterOf, type Scope } from "../../expression/mod.ts";
import { roomProblem } from "./protocol.ts";

/** For whom something is, before anybody is left out. */
export interface Audience {
  /** Such as `send_to_room`. */
  readonly operation: string | undefined;
  /** The room, the user or the client's `id`; absent for everybody. */
  readonly name?: string;
}

/** What came of it. */
export interface Delivered {
  /** To how many connections it was sent or done. */
  readonly recipients: number;
  /** Of an order alone: to how many connections it could not be done. */
  readonly refused?: number;
}

/**
 * For whom a flow sends something.
 *
 * @throws {ConnectorError} It does not say, or names no room.
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

/** What a filter may cost for each recipient, beside what is left of the event's steps. */
const STEPS_OF_RECIPIENT = 100;

/** Whom a `to` block leaves out of a group. */
export interface Choice {
  /** Evaluated for each recipient, who is `client`; false leaves that one out. */
  readonly filter: Expression | undefined;
  /** The `id` of the client that gets nothing; undefined for none. */
  readonly except: string | undefined;
  /** The filter's variables beside `client`. */
  readonly scope: Scope;
}

/** Who can be chosen. */
export interface Candidate {
  /** Undefined where nobody has asked for it: then it is nobody that anything names. */
  readonly id: string | undefined;
  /** What expressions see; made for the first of them. */
  readonly client: Client;
}

/**
 * The members that are meant. All are chosen before anything is sent: a filter that fails leaves
 * nobody half informed.
 *
 * @throws {ExpressionError} The filter failed for one of them.
 */
export function choose<Member extends Candidate>(
  group: Iterable<Member>,
  { filter, except, scope }: Choice,
): readonly Member[] {
  const members = [...group].filter(({ id }) => id === undefined || id !== except);
  if (filter === undefined) return members;
  const meter = meterOf(scope) ?? new Meter();
  meter.grant(STEPS_OF_RECIPIENT * members.length);
  const seen: Record<string, unknown> & Scope = { ...variablesOf(filter, scope), [METER]: meter };
  return members.filter(({ client }) => {
    seen.client = client;
    return holds(filter, seen);
  });
}

/** Read once for all recipients, and by name: a scope's variables may be made when they are read. */
export function variablesOf(filter: Expression, scope: Scope): Record<string, unknown> {
  const names = [...filter.variables].filter((name) => name !== "client");
  return Object.fromEntries(names.map((name) => [name, scope[name]]));
}
