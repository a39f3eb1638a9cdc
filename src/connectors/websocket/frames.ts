/** Serves the frames of one connection: what each type does and how it is answered. */
import { quoted } from "../../base/shown.ts";
import type { FlowHandler, Logger } from "../../contract/connector.ts";
import { accept, admit, dispatch, type Ending, runFlow } from "../../contract/dispatch.ts";
import { FlowError, newRef } from "../../base/errors.ts";
import type { Frame } from "../../transport/frame.ts";
import {
  ackFrame,
  type ClientFrame,
  type FrameId,
  messageFrame,
  type Refusal,
  RESERVED_TYPES,
  roomProblem,
} from "./protocol.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { renew } from "./auth/renewal.ts";
import type { Connection } from "./connection.ts";
import { SocketEvent } from "./event.ts";
import type { WebSocketOptions } from "./options.ts";
import { frameRefusal } from "./refusal.ts";
import type { JoinVerdict, RoomRules } from "./rooms/rules.ts";
import type { Outboxes } from "./slow-client/outboxes.ts";

/** What serving a frame needs of the connection's hub. */
export interface FrameHost {
  readonly options: WebSocketOptions;
  readonly logger: Logger;
  /** Undefined where clients need no token. */
  readonly authenticator: Authenticator | undefined;
  /** They say how much one frame may have. */
  readonly outboxes: Outboxes;
  /** The flows on one operation, in file order; undefined where no client can cause it. */
  handlers(operation: string): readonly FlowHandler[] | undefined;
  /** `did you mean "…"?` for a type that no flow serves. */
  suggest(type: string): string | undefined;
  /** Makes a connection a member; one that is closing stays out. */
  join(connection: Connection, room: string): void;
  /** Ends a membership. */
  leave(connection: Connection, room: string): void;
  /** Who may join which room. */
  readonly rules: RoomRules;
}

/** Serves a frame; undefined where it ended at once. */
export function serveFrame(
  hub: FrameHost,
  connection: Connection,
  frame: ClientFrame,
): Promise<void> | undefined {
  const { type, id, data } = frame;
  const refuse = (code: Refusal["code"], message: string): undefined =>
    connection.refuse({ code, message, id });

  if (type === "auth" && hub.authenticator !== undefined) {
    return renew(hub.authenticator, connection, frame);
  }
  const handlers = RESERVED_TYPES.has(type) ? undefined : hub.handlers(type);
  if (handlers === undefined) return refuse("unknown_type", unknownType(hub, type));
  const room = readRoom(frame);
  if (typeof room === "object") return refuse("invalid_room", room.problem);
  const joined = type === "join_room" ? room : undefined;
  if (joined !== undefined && isFull(hub, connection, joined)) {
    return connection.refuse(tooManyRooms(hub, id));
  }
  if (type === "leave_room" && room !== undefined) hub.leave(connection, room);

  try {
    const event = new SocketEvent(type, data, connection.client, room);
    return joined === undefined
      ? run(hub, connection, id, admit(handlers, event), event)
      : askToJoin(hub, connection, id, handlers, event, joined);
  } catch (bug) {
    answerBug(hub, connection, id, bug);
  }
}

/** The room's rule comes first: no flow hears of a client whom it refuses. */
function askToJoin(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  handlers: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
): Promise<void> | undefined {
  const go = (refusal: JoinVerdict): Promise<void> | undefined => {
    if (refusal === undefined) {
      return join(hub, connection, id, admit(handlers, event), event, room);
    }
    // A member that may not join any more is none.
    if (refusal.code === "room_forbidden") hub.leave(connection, room);
    return connection.refuse({ ...refusal, id });
  };
  const verdict = hub.rules.ask(connection.client, room);
  if (!(verdict instanceof Promise)) return go(verdict);
  return verdict.then(go).catch((bug) => answerBug(hub, connection, id, bug));
}

/**
 * Filters and `accept` see the client as it was; the flows that run see the member. A refusal by any
 * flow keeps the client out and lets none run.
 */
function join(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
  room: string,
): Promise<void> | undefined {
  const enter = (refusal: FlowError | undefined): Promise<void> | undefined => {
    if (refusal !== undefined) return connection.refuse(frameRefusal(refusal, id));
    // Where frames are served side by side, another may have joined while this one was asked.
    if (isFull(hub, connection, room)) return connection.refuse(tooManyRooms(hub, id));
    hub.join(connection, room);
    return run(hub, connection, id, admitted, event);
  };
  const verdict = accept(admitted, event);
  if (!(verdict instanceof Promise)) return enter(verdict);
  return verdict.then(enter).catch((bug) => answerBug(hub, connection, id, bug));
}

function run(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  admitted: readonly FlowHandler[],
  event: SocketEvent,
): Promise<void> | undefined {
  if (admitted.length === 1) return runAlone(hub, connection, id, admitted[0], event);
  const { answer, all } = dispatch(admitted, event);
  let answered: Promise<void> | undefined;
  if (answer instanceof Promise) {
    answered = answer.then((ending) => tell(hub, connection, id, ending));
  } else tell(hub, connection, id, answer);
  if (answered === undefined && !(all instanceof Promise)) return undefined;
  return Promise.allSettled([answered, all]).then((ends) => {
    const bug = ends.find((end) => end.status === "rejected");
    if (bug !== undefined) answerBug(hub, connection, id, bug.reason);
  });
}

/** Most frames have one flow, whose end is also the end of all. */
function runAlone(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  handler: FlowHandler,
  event: SocketEvent,
): Promise<void> | undefined {
  const ending = runFlow(handler, event);
  if (!(ending instanceof Promise)) {
    tell(hub, connection, id, ending);
    return undefined;
  }
  return ending.then(
    (end) => tell(hub, connection, id, end),
    (bug) => answerBug(hub, connection, id, bug),
  );
}

function tell(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  ending: Ending | undefined,
): void {
  try {
    answerWith(hub, connection, id, ending);
  } catch (bug) {
    answerBug(hub, connection, id, bug);
  }
}

/** The answer to one frame, by how the first flow that took it ended. */
function answerWith(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  ending: Ending | undefined,
): void {
  if (ending instanceof FlowError) {
    return connection.refuse(frameRefusal(ending, id));
  }
  const frame = answerFrame(id, ending?.response);
  if (frame === undefined) return;
  if (frame.size > hub.outboxes.limit) {
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

/** What no flow answers for: a response that cannot be sent, or a mistake of ours. */
function answerBug(
  hub: FrameHost,
  connection: Connection,
  id: FrameId | undefined,
  bug: unknown,
): void {
  const ref = newRef();
  hub.logger.error("a frame could not be served (ref {ref}): {error}", { ref, error: bug });
  connection.refuse({ code: "flow_failed", message: `the frame failed (ref ${ref})`, id });
}

function unknownType(hub: FrameHost, type: string): string {
  const hint = hub.suggest(type);
  return `unknown type ${quoted(type)}${hint === undefined ? "" : `; ${hint}`}`;
}

/** Rooms must be named where they are joined or left; elsewhere a frame may carry one. */
function readRoom({ type, room }: ClientFrame): string | undefined | { readonly problem: string } {
  if (room === undefined && type !== "join_room" && type !== "leave_room") return undefined;
  const problem = roomProblem(room);
  return problem === undefined ? room as string : { problem };
}

function isFull(hub: FrameHost, { rooms }: Connection, room: string): boolean {
  return !rooms.has(room) && rooms.size >= hub.options.max_rooms;
}

function tooManyRooms(hub: FrameHost, id: FrameId | undefined): Refusal {
  const message = `a connection may be in ${hub.options.max_rooms} rooms`;
  return { code: "too_many_rooms", message, id };
}
