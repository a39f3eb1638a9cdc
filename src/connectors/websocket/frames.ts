/** Serves the frames of one connection: what each type does and how it is answered. */
import { FlowError } from "../../base/errors.ts";
import { newRef } from "../../base/ids.ts";
import { quoted } from "../../base/shown.ts";
import type { FlowHandler } from "../../contract/connector.ts";
import { accept, admit, dispatch, type Ending, runFlow } from "../../contract/dispatch.ts";
import { placed, placedAs } from "../../contract/placed.ts";
import type { Frame } from "../../transport/frame.ts";
import type { Authenticator } from "../../access/auth/authenticator.ts";
import { SocketEvent } from "./client.ts";
import { frameRefusal } from "./closing.ts";
import { serveFeature } from "./feature-frame.ts";
import { enterRoom, isFull, tooManyRooms } from "./joining.ts";
import { type JoinWishes, NO_WISHES } from "./join-wishes.ts";
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
import type { JoinAnswer } from "./room-feature.ts";
import type { Shared } from "./parts.ts";

/** Fields that an ack has beside `id` and `data`. */
type AckFields = JoinAnswer["fields"];

/** Whether a frame changes what the flows of frames before it may have to do with. */
export function changesConnection({ type }: ClientFrame): boolean {
  return type === "join_room" || type === "leave_room" || type === "auth";
}

/**
 * Serves a frame. Returns undefined where it ended at once. Never rejects. Frames before it may wait
 * for a confirmation alone: the answer comes `after` theirs.
 */
export function serveFrame(
  shared: Shared,
  connection: OpenConnection,
  frame: ClientFrame,
  after?: Promise<void>,
): Promise<void> | undefined {
  const { type, id, data } = frame;
  const refuse = (code: Refusal["code"], message: string): Promise<void> | undefined =>
    inTurn(after, () => connection.refuse({ code, message, id }));

  if (type === "auth" && shared.authenticator !== undefined) {
    return renewToken(shared, shared.authenticator, connection, frame);
  }
  const feature = shared.features.serving(type);
  if (feature !== undefined) {
    return inTurn(after, () => serveFeature(feature, connection, frame));
  }
  const handlers = RESERVED_TYPES.has(type) ? undefined : shared.flows.of(type);
  if (handlers === undefined) return refuse("unknown_type", unknownType(shared, type));
  const room = readRoom(frame);
  if (typeof room === "object") return refuse("invalid_room", room.problem);
  const joined = type === "join_room" ? room : undefined;
  if (joined !== undefined && isFull(shared, connection, joined)) {
    return connection.refuse({ ...tooManyRooms(shared), id });
  }
  if (type === "leave_room" && room !== undefined) shared.registry.leave(connection, room);

  try {
    const { client } = connection;
    const { rules } = shared;
    const event = new SocketEvent(type, data, client, room, undefined, frame, rules);
    return joined === undefined
      ? run(shared, connection, id, admit(handlers, event), event, after)
      : askToJoin(shared, connection, frame, handlers, event, joined);
  } catch (error) {
    return inTurn(after, () => answerBug(shared, connection, id, error));
  }
}

/** Answers now, or after the frames before it have been answered. */
function inTurn(after: Promise<void> | undefined, answer: () => void): Promise<void> | undefined {
  if (after === undefined) return void answer();
  return placed(after.then(answer));
}

/** Puts the token of an `auth` frame in force, or refuses it and keeps the old one. */
async function renewToken(
  { features }: Shared,
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
  features.renewed(connection);
  if (id !== undefined) connection.send(ackFrame(id));
}

/** Asks the room's rule first: no flow sees a client that the rule refuses. */
function askToJoin(
  shared: Shared,
  connection: OpenConnection,
  frame: ClientFrame,
  handlers: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
): Promise<void> | undefined {
  const { id } = frame;
  const next = (refusal: Refusal | undefined): Promise<void> | undefined => {
    const refused = refusal ?? shared.features.refuse(connection, room, frame.wishes ?? NO_WISHES);
    if (refused === undefined) {
      return join(shared, connection, frame, admit(handlers, event), event, room);
    }
    // A member that may no longer join loses its membership.
    if (refused.code === "room_forbidden") shared.registry.leave(connection, room);
    return connection.refuse({ ...refused, id });
  };
  const refusal = shared.rules.ask(connection.client, room, event);
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
  frame: ClientFrame,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
): Promise<void> | undefined {
  const { id, wishes = NO_WISHES } = frame;
  const enter = (refusal: FlowError | undefined): Promise<void> | undefined => {
    if (refusal !== undefined) return connection.refuse(frameRefusal(refusal, id));
    const entered = enterRoom(shared, connection, room, wishes);
    const next = (refused: Refusal | undefined) =>
      refused === undefined
        ? afterJoin(shared, connection, id, admitted, event, room, wishes)
        : connection.refuse({ ...refused, id });
    if (!(entered instanceof Promise)) return next(entered);
    return entered.then(next).catch((error) => answerBug(shared, connection, id, error));
  };
  const refusal = accept(admitted, event);
  if (!(refusal instanceof Promise)) return enter(refusal);
  return refusal.then(enter).catch((error) => answerBug(shared, connection, id, error));
}

/** Serves the rest of a join whose membership has begun: its answer and its flows. */
export function afterJoin(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
  wishes: JoinWishes,
): Promise<void> | undefined {
  const next = (answer: JoinAnswer | Refusal | undefined): Promise<void> | undefined => {
    if (answer === undefined) return run(shared, connection, id, admitted, event);
    if ("code" in answer) {
      shared.registry.leave(connection, room);
      return connection.refuse({ ...answer, id });
    }
    const served = run(shared, connection, id, admitted, event, undefined, answer.fields);
    if (served !== undefined) return served.then(() => answer.answered?.());
    answer.answered?.();
    return undefined;
  };
  const answer = shared.features.answer(connection, room, wishes);
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

function run(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
  after?: Promise<void>,
  fields?: AckFields,
): Promise<void> | undefined {
  if (admitted.length === 1) {
    return runOne(shared, connection, id, admitted[0], event, after, fields);
  }
  const { answer, all } = dispatch(admitted, event);
  let answered: Promise<void> | undefined;
  if (answer instanceof Promise) {
    answered = answer.then(async (ending) => {
      await after;
      answerOrFail(shared, connection, id, ending, fields);
    });
  } else answered = inTurn(after, () => answerOrFail(shared, connection, id, answer, fields));
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
  after: Promise<void> | undefined,
  fields: AckFields | undefined,
): Promise<void> | undefined {
  const ending = runFlow(handler, event);
  if (!(ending instanceof Promise)) {
    return inTurn(after, () => answerOrFail(shared, connection, id, ending, fields));
  }
  const answered = ending.then(
    (end) => inTurn(after, () => answerOrFail(shared, connection, id, end, fields)),
    (error) => inTurn(after, () => answerBug(shared, connection, id, error)),
  );
  return placedAs(answered, ending);
}

function answerOrFail(
  shared: Shared,
  connection: OpenConnection,
  id: FrameId | undefined,
  ending: Ending | undefined,
  fields: AckFields | undefined,
): void {
  try {
    answer(shared, connection, id, ending, fields);
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
  fields: AckFields | undefined,
): void {
  if (ending instanceof FlowError) {
    return connection.refuse(frameRefusal(ending, id));
  }
  const frame = answerFrame(id, ending?.response, fields);
  if (frame === undefined) return;
  if (frame.size > shared.outboxes.limit) {
    throw new RangeError("the response is too large to send");
  }
  connection.send(frame);
}

function answerFrame(
  id: FrameId | undefined,
  response: { readonly data: unknown } | undefined,
  fields: AckFields | undefined,
): Frame | undefined {
  if (id !== undefined) return ackFrame(id, response, fields);
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
