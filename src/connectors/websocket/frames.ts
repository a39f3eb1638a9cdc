/** Serves the frames of one connection: what each type does and how it is answered. */
import { FlowError } from "../../base/errors.ts";
import { newRef } from "../../base/ids.ts";
import { quoted } from "../../base/shown.ts";
import type { FlowHandler } from "../../contract/connector.ts";
import { accept, admit, dispatch, type Ending, runFlow } from "../../contract/dispatch.ts";
import type { Frame } from "../../transport/frame.ts";
import type { Authenticator } from "../../access/auth/authenticator.ts";
import { SocketEvent } from "./client.ts";
import { frameRefusal } from "./closing.ts";
import {
  ackFrame,
  type ClientFrame,
  type FrameId,
  messageFrame,
  type Refusal,
  RESERVED_TYPES,
  roomProblem,
} from "./protocol.ts";
import type { OpenConnection } from "./registry.ts";
import type { Shared } from "./shared.ts";

/** Serves a frame. Returns undefined where it ended at once. Never rejects. */
export function serveFrame(
  shared: Shared,
  connection: OpenConnection,
  frame: ClientFrame,
): Promise<void> | undefined {
  const { type, id, data, messageId } = frame;
  const refuse = (code: Refusal["code"], message: string): undefined =>
    connection.refuse({ code, message, id });

  if (type === "auth" && shared.authenticator !== undefined) {
    return renewToken(shared.authenticator, connection, frame);
  }
  const handlers = RESERVED_TYPES.has(type) ? undefined : shared.flows.of(type);
  if (handlers === undefined) return refuse("unknown_type", unknownType(shared, type));
  const room = readRoom(frame);
  if (typeof room === "object") return refuse("invalid_room", room.problem);
  const joined = type === "join_room" ? room : undefined;
  if (joined !== undefined && isFull(shared, connection, joined)) {
    return connection.refuse(tooManyRooms(shared, id));
  }
  if (type === "leave_room" && room !== undefined) shared.registry.leave(connection, room);

  try {
    const { client } = connection;
    const { rules } = shared;
    const event = new SocketEvent(type, data, client, room, undefined, messageId, rules);
    return joined === undefined
      ? run(shared, connection, id, admit(handlers, event), event)
      : askToJoin(shared, connection, id, handlers, event, joined);
  } catch (error) {
    answerBug(shared, connection, id, error);
  }
}

/** Puts the token of an `auth` frame in force, or refuses it and keeps the old one. */
async function renewToken(
  authenticator: Authenticator,
  connection: OpenConnection,
  { id, token }: ClientFrame,
): Promise<void> {
  const { credentials } = connection.state;
  const renewal = await authenticator.renew(token, credentials.identity);
  if (!renewal.accepted) {
    const { message, outage } = renewal;
    return connection.refuse({ code: "unauthorized", message, id, outage: outage ?? false });
  }
  credentials.renew(renewal.identity);
  if (id !== undefined) connection.send(ackFrame(id));
}

/** Asks the room's rule first: no flow sees a client that the rule refuses. */
function askToJoin(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  handlers: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
): Promise<void> | undefined {
  const next = (refusal: Refusal | undefined): Promise<void> | undefined => {
    if (refusal === undefined) {
      return join(shared, connection, id, admit(handlers, event), event, room);
    }
    // A member that may no longer join loses its membership.
    if (refusal.code === "room_forbidden") shared.registry.leave(connection, room);
    return connection.refuse({ ...refusal, id });
  };
  const refusal = shared.rules.ask(connection.client, room);
  if (!(refusal instanceof Promise)) return next(refusal);
  return refusal.then(next).catch((error) => answerBug(shared, connection, id, error));
}

/**
 * Joins a room. Filters and `accept` see the client before it joins, the flows that run see the
 * member. A refusal by any flow keeps the client out and lets no flow run.
 */
function join(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
): Promise<void> | undefined {
  const enter = (refusal: FlowError | undefined): Promise<void> | undefined => {
    if (refusal !== undefined) return connection.refuse(frameRefusal(refusal, id));
    // With `concurrency`, another frame may have joined a room in the meantime.
    if (isFull(shared, connection, room)) return connection.refuse(tooManyRooms(shared, id));
    shared.registry.join(connection, room);
    return run(shared, connection, id, admitted, event);
  };
  const refusal = accept(admitted, event);
  if (!(refusal instanceof Promise)) return enter(refusal);
  return refusal.then(enter).catch((error) => answerBug(shared, connection, id, error));
}

function run(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
): Promise<void> | undefined {
  if (admitted.length === 1) return runOne(shared, connection, id, admitted[0], event);
  const { answer, all } = dispatch(admitted, event);
  let answered: Promise<void> | undefined;
  if (answer instanceof Promise) {
    answered = answer.then((ending) => answerOrFail(shared, connection, id, ending));
  } else answerOrFail(shared, connection, id, answer);
  if (answered === undefined && !(all instanceof Promise)) return undefined;
  return Promise.allSettled([answered, all]).then((ends) => {
    const bug = ends.find((end) => end.status === "rejected");
    if (bug !== undefined) answerBug(shared, connection, id, bug.reason);
  });
}

/** Most frames have one flow, whose end is also the end of all. */
function runOne(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  handler: FlowHandler,
  event: SocketEvent,
): Promise<void> | undefined {
  const ending = runFlow(handler, event);
  if (!(ending instanceof Promise)) {
    answerOrFail(shared, connection, id, ending);
    return undefined;
  }
  return ending.then(
    (end) => answerOrFail(shared, connection, id, end),
    (error) => answerBug(shared, connection, id, error),
  );
}

function answerOrFail(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  ending: Ending | undefined,
): void {
  try {
    answer(shared, connection, id, ending);
  } catch (error) {
    answerBug(shared, connection, id, error);
  }
}

/** Answers a frame by how the first flow that took it ended. */
function answer(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  ending: Ending | undefined,
): void {
  if (ending instanceof FlowError) {
    return connection.refuse(frameRefusal(ending, id));
  }
  const frame = answerFrame(id, ending?.response);
  if (frame === undefined) return;
  if (frame.size > shared.outboxes.limit) {
    throw new RangeError("the response is too large to send");
  }
  connection.send(frame);
}

function answerFrame(
  id: FrameId | undefined,
  response: { readonly data: unknown } | undefined,
): Frame | undefined {
  if (id !== undefined) return ackFrame(id, response);
  return response && messageFrame(response.data);
}

/** Answers where no flow has failed: the response cannot be sent, or Weir has a bug. */
function answerBug(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  error: unknown,
): void {
  const ref = newRef(shared.newId);
  shared.logger.error("failed to serve a frame (ref {ref}): {error}", { ref, error });
  connection.refuse({ code: "flow_failed", message: `the frame failed (ref ${ref})`, id });
}

function unknownType({ flows, authenticator }: Shared, type: string): string {
  const hint = flows.suggest(type, authenticator === undefined ? [] : ["auth"]);
  return `unknown type ${quoted(type)}${hint === undefined ? "" : `; ${hint}`}`;
}

/** The room of a frame: required to join and to leave, optional elsewhere. */
function readRoom({ type, room }: ClientFrame): string | undefined | { readonly problem: string } {
  if (room === undefined && type !== "join_room" && type !== "leave_room") return undefined;
  const problem = roomProblem(room);
  return problem === undefined ? room as string : { problem };
}

function isFull({ options }: Shared, { state }: OpenConnection, room: string): boolean {
  const { rooms } = state;
  return !rooms.has(room) && rooms.size >= options.max_rooms;
}

function tooManyRooms({ options }: Shared, id: FrameId | undefined): Refusal {
  const message = `a connection may be in ${options.max_rooms} rooms`;
  return { code: "too_many_rooms", message, id };
}
