/**
 * How connections join rooms. With other instances, the room is listened to before anybody is a
 * member, so that nothing that is sent after the join is missed.
 */
import { messageOf } from "../../base/shown.ts";
import { newRef } from "../../base/ids.ts";
import { type JoinWishes, ORDERED, ORDERED_WITH_HISTORY } from "./join-wishes.ts";
import type { Refusal } from "./protocol.ts";
import type { OpenConnection } from "./registry.ts";
import type { Shared } from "./parts.ts";

/** For how many connections an order was executed. */
export interface Executed {
  /** For how many it was. */
  readonly recipients: number;
  /** How many have not joined. */
  readonly refused: number;
  /** How many of these, because the room could not be listened to. */
  readonly unsubscribed: number;
}

/** Whether one more room is too many for a connection. */
export function isFull({ options }: Shared, { state }: OpenConnection, room: string): boolean {
  const { rooms } = state;
  return !rooms.has(room) && rooms.size >= options.max_rooms;
}

/**
 * Makes a client a member that may join, or returns why it cannot be one. Returns a promise only
 * where the room is not listened to yet; it never rejects.
 */
export function enterRoom(
  shared: Shared,
  connection: OpenConnection,
  room: string,
  wishes: JoinWishes,
): Refusal | undefined | Promise<Refusal | undefined> {
  // With `concurrency`, another frame may have joined a room in the meantime.
  if (isFull(shared, connection, room)) return tooManyRooms(shared);
  const { interest } = shared;
  if (interest === undefined) {
    becomeMember(shared, connection, room, wishes);
    return undefined;
  }
  const listening = interest.listen(room);
  if (listening !== undefined) return enterLater(shared, connection, room, wishes, listening);
  makeMembers(shared, [connection], room, wishes);
  return undefined;
}

async function enterLater(
  shared: Shared,
  connection: OpenConnection,
  room: string,
  wishes: JoinWishes,
  listening: Promise<void>,
): Promise<Refusal | undefined> {
  const { registry, interest } = shared;
  const { expected } = registry;
  const join = expected.expect(connection, room);
  try {
    await listening;
  } catch (error) {
    expected.forget(connection, room, join);
    return cannotListen(shared, room, error);
  }
  // The client may have lost the right meanwhile, or have left, or have joined others.
  const refusal = shared.rules.askAgain(connection.client, room);
  if (refusal !== undefined) {
    interest?.unlisten(room);
    expected.forget(connection, room, join);
    if (refusal.code === "room_forbidden") registry.leave(connection, room);
    return refusal;
  }
  const isExpected = expected.take(connection, room);
  if (!isExpected || isFull(shared, connection, room)) {
    interest?.unlisten(room);
    return isExpected ? tooManyRooms(shared) : undefined;
  }
  makeMembers(shared, [connection], room, wishes);
  return undefined;
}

/**
 * Makes connections members of a room, as a flow orders it: all of them or, where that is too many for
 * one, none. With `history` they get what they have missed.
 */
export function joinAll(
  shared: Shared,
  connections: readonly OpenConnection[],
  room: string,
  history: boolean,
): Executed | Promise<Executed> {
  const { length } = connections;
  if (length === 0) return { recipients: 0, refused: 0, unsubscribed: 0 };
  if (connections.some((one) => isFull(shared, one, room))) return noneOf(length, 0);
  const listening = shared.interest?.listen(room);
  const wishes = history ? ORDERED_WITH_HISTORY : ORDERED;
  if (listening !== undefined) return joinLater(shared, connections, room, wishes, listening);
  makeMembers(shared, connections, room, wishes);
  return { recipients: length, refused: 0, unsubscribed: 0 };
}

async function joinLater(
  shared: Shared,
  connections: readonly OpenConnection[],
  room: string,
  wishes: JoinWishes,
  listening: Promise<void>,
): Promise<Executed> {
  const { registry: { expected }, interest } = shared;
  const { length } = connections;
  const joins = connections.map((one) => expected.expect(one, room));
  try {
    await listening;
  } catch (error) {
    connections.forEach((one, i) => expected.forget(one, room, joins[i]));
    shared.logger.warn("cannot listen to room {room}: {reason}", {
      room,
      reason: messageOf(error),
    });
    return noneOf(length, length);
  }
  const left = connections.filter((one) => expected.take(one, room));
  if (left.some((one) => isFull(shared, one, room))) {
    interest?.unlisten(room);
    return noneOf(length, 0);
  }
  makeMembers(shared, left, room, wishes);
  return { recipients: length, refused: 0, unsubscribed: 0 };
}

/** The room is listened to once more than before; its first member makes that the room's own. */
function makeMembers(
  shared: Shared,
  connections: readonly OpenConnection[],
  room: string,
  wishes: JoinWishes,
): void {
  let began = false;
  for (const connection of connections) {
    if (becomeMember(shared, connection, room, wishes)) began = true;
  }
  if (!began) shared.interest?.unlisten(room);
}

/** Returns whether it is the room's first member. */
function becomeMember(
  { registry, features }: Shared,
  connection: OpenConnection,
  room: string,
  wishes: JoinWishes,
): boolean {
  const isFirst = registry.join(connection, room);
  if (!wishes.isOrdered) connection.state.setResync(room, wishes.resync ?? false);
  if (connection.state.rooms.has(room)) features.joined(connection, room, wishes);
  return isFirst;
}

function noneOf(refused: number, unsubscribed: number): Executed {
  return { recipients: 0, refused, unsubscribed };
}

function cannotListen({ logger, newId }: Shared, room: string, error: unknown): Refusal {
  const ref = newRef(newId);
  const reason = messageOf(error);
  logger.warn("cannot listen to room {room} (ref {ref}): {reason}", { room, ref, reason });
  const message = `the room cannot be joined now (ref ${ref})`;
  return { code: "flow_failed", message, outage: true };
}

/** Why one more room is too many. */
export function tooManyRooms({ options }: Shared): Refusal {
  const message = `a connection may be in ${options.max_rooms} rooms`;
  return { code: "too_many_rooms", message };
}
