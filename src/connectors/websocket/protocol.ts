/** The wire protocol: decodes the frames of clients, encodes those of the server. No I/O. */
import { nameProblem } from "../../access/names.ts";
import { Frame } from "../../transport/frame.ts";
import { parseJson } from "../../base/json.ts";
import { type JoinWishes, NO_WISHES, readWishes } from "./join-wishes.ts";

/** The `id` of a frame. */
export type FrameId = string | number;

/** A frame of a client with a valid form. */
export interface ClientFrame {
  readonly type: string;
  readonly id: FrameId | undefined;
  /** Null where the frame has no data. */
  readonly data: unknown;
  /** Not checked yet: `roomProblem` does. */
  readonly room: unknown;
  /** The sender's own id of the message, where the frame has one. */
  readonly messageId: string | undefined;
  /** The trace that it is part of, where the frame names one. Not checked yet. */
  readonly traceparent: string | undefined;
  /** Only in an `auth` frame. Not checked yet. */
  readonly token?: unknown;
  /** Only in a `join_room` frame that asks for more than the membership. */
  readonly wishes?: JoinWishes;
}

/** Why a frame is refused. */
export interface Refusal {
  /** An `ErrorCode`, or that of a flow's `reject`. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** The frame's `id`, where it has a valid one. */
  readonly id?: FrameId | undefined;
  /** For programs: each `{ path, message }` of invalid data, or a flow's `error_response`. */
  readonly details?: unknown;
  /** Milliseconds until a frame is served again; only with `rate_limited`. */
  readonly retryAfter?: number;
  /** True where an outage is the cause: such errors close no connection. Not sent to the client. */
  readonly outage?: boolean;
}

/** The types that only the server sends, and the operations that no frame can cause. */
export const RESERVED_TYPES: ReadonlySet<string> = new Set([
  ...["ack", "error", "pong", "dropped", "presence", "resync"],
  ...["connect", "disconnect"],
]);

/** The types that the protocol itself answers, without a flow. */
export const CONTROL_TYPES: ReadonlySet<string> = new Set(["ping", "auth"]);

/** The form of a type, and of the operation of a flow on it. */
export const TYPE_PATTERN: RegExp = /^[A-Za-z0-9_.:-]{1,64}$/;

/** That form in words. */
export const TYPE_FORM = "a frame type has 1 to 64 of A-Z a-z 0-9 _ . : -";

const MAX_ID_LENGTH = 64;
const MAX_MESSAGE_ID_LENGTH = 128;

/** Decodes one text frame. */
export function decodeFrame(text: string): ClientFrame | Refusal {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { code: "invalid_json", message: error.message };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid("a frame must be a JSON object");
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const { type, id, data = null, room, message_id: messageId, traceparent, token } = fields;
  if (id !== undefined && !isFrameId(id)) {
    return invalid(`id must be a whole number or a string of at most ${MAX_ID_LENGTH} characters`);
  }
  if (type === undefined) return invalid("type is missing", id);
  if (typeof type !== "string") return invalid("type must be a string", id);
  if (messageId !== undefined && !isMessageId(messageId)) {
    const most = MAX_MESSAGE_ID_LENGTH;
    return invalid(`message_id must be a string of 1 to ${most} characters`, id);
  }
  if (traceparent !== undefined && typeof traceparent !== "string") {
    return invalid("traceparent must be a string", id);
  }
  if (type === "auth") return { type, id, data, room, messageId, traceparent, token };
  if (type === "join_room") {
    const wishes = readWishes(fields);
    if (typeof wishes === "string") return invalid(wishes, id);
    if (wishes !== NO_WISHES) return { type, id, data, room, messageId, traceparent, wishes };
  }
  return { type, id, data, room, messageId, traceparent };
}

/** Why `room` is not a valid room name; undefined where it is. */
export function roomProblem(room: unknown): string | undefined {
  if (room === undefined) return "room is missing";
  if (typeof room !== "string") return "room must be a string";
  if (room === "") return "room is empty";
  return nameProblem("room", room);
}

/**
 * A message to clients: `{"type":"message","data":…}`, with the room where it is sent to one. Another
 * `type` must have the form of `TYPE_PATTERN`.
 *
 * @throws {TypeError} The data has a cycle or a BigInt.
 */
export function messageFrame(data: unknown, room?: string, type?: string): Frame {
  const body = JSON.stringify(data) ?? "null";
  const suffix = room === undefined ? "" : `,"room":${JSON.stringify(room)}`;
  const head = type === undefined ? '{"type":"message","data":' : `{"type":"${type}","data":`;
  return new Frame(`${head}${body}${suffix}}`);
}

/**
 * The answer to a frame with an `id`, with `data` where the flow has a response, and with the fields
 * that features of rooms add to the answer of a join.
 *
 * @throws {TypeError} The data has a cycle or a BigInt.
 */
export function ackFrame(
  id: FrameId,
  response?: { readonly data: unknown },
  fields?: Readonly<Record<string, unknown>>,
): Frame {
  if (fields !== undefined) {
    const data = response === undefined ? {} : { data: response.data ?? null };
    return new Frame(JSON.stringify({ type: "ack", id, ...fields, ...data }));
  }
  if (response === undefined) {
    return new Frame(`{"type":"ack","id":${typeof id === "number" ? id : JSON.stringify(id)}}`);
  }
  // One call makes a flat text. A joined text is flattened before it is sent, which costs more.
  return new Frame(JSON.stringify({ type: "ack", id, data: response.data ?? null }));
}

/**
 * The answer to a frame that is refused.
 *
 * @throws {TypeError} The details have a cycle or a BigInt.
 */
export function errorFrame({ code, message, id, details, retryAfter }: Refusal): Frame {
  const fields = { type: "error", message, code, id, details, retry_after_ms: retryAfter };
  return new Frame(JSON.stringify(fields));
}

/** The notice in the place of messages that were dropped. */
export function droppedFrame(count: number): Frame {
  return new Frame(JSON.stringify({ type: "dropped", count }));
}

/** Tells that messages of a room may be missing. */
export function resyncFrame(room: string): Frame {
  return new Frame(JSON.stringify({ type: "resync", room }));
}

/** The answer to an application-level ping. */
export function pongFrame(id: FrameId | undefined): Frame {
  return new Frame(JSON.stringify({ type: "pong", id }));
}

function invalid(message: string, id?: FrameId): Refusal {
  return { code: "invalid_message", message, id };
}

function isFrameId(id: unknown): id is FrameId {
  return typeof id === "string" ? hasAtMost(MAX_ID_LENGTH, id) : Number.isSafeInteger(id);
}

function isMessageId(id: unknown): id is string {
  return typeof id === "string" && id !== "" && hasAtMost(MAX_MESSAGE_ID_LENGTH, id);
}

/** Whether a text has at most that many characters. */
function hasAtMost(most: number, text: string): boolean {
  // A character has at most two units, so a long text is never split.
  return text.length <= 2 * most && [...text].length <= most;
}
