/** The wire protocol: decoding what clients send, encoding what they get. No I/O. */
import type { ErrorCode } from "../../base/errors.ts";
import { Frame } from "../../transport/frame.ts";
import { parseJson } from "../../base/json.ts";
import { isLongerThan } from "../../base/text.ts";

/** What a client may put into `id`. */
export type FrameId = string | number;

/** A frame whose form is right. */
export interface ClientFrame {
  readonly type: string;
  readonly id: FrameId | undefined;
  /** Null where the frame has none. */
  readonly data: unknown;
  /** Checked by `roomProblem` before use: may still be anything. */
  readonly room: unknown;
  /** Of an `auth` frame alone; may be anything. */
  readonly token?: unknown;
}

/** Why a frame cannot be served. */
export interface Refusal {
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
  /** The frame's, where it has a valid one. */
  readonly id?: FrameId | undefined;
  /** For programs: each `{ path, message }` of bad data, or what a flow's `error_response` says. */
  readonly details?: unknown;
  /** In so many milliseconds a frame will be served again: how `rate_limited` says when. */
  readonly retryAfter?: number;
  /** True where an outage is the cause. No client is sent away for such errors, and none sees this. */
  readonly outage?: boolean;
}

/** The types that only the server sends, and the operations that no client can claim. */
export const RESERVED_TYPES: ReadonlySet<string> = new Set([
  ...["ack", "error", "pong", "dropped", "presence", "resync"],
  ...["connect", "disconnect"],
]);

/** Frames that are no flow's: the protocol itself answers them. */
export const CONTROL_TYPES: ReadonlySet<string> = new Set(["ping", "auth"]);

/** What a type, and so the operation of a flow on it, may look like. */
export const TYPE_PATTERN: RegExp = /^[A-Za-z0-9_.:-]{1,64}$/;

const MAX_ID_LENGTH = 64;
const MAX_NAME_BYTES = 255;
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Reads one text frame. */
export function decodeFrame(text: string): ClientFrame | Refusal {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { code: "invalid_json", message: error.message };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid("a frame is a JSON object");
  }
  const { type, id, data = null, room, token } = value as Readonly<Record<string, unknown>>;
  if (id !== undefined && !isFrameId(id)) {
    return invalid(`id must be a whole number or a string of at most ${MAX_ID_LENGTH} characters`);
  }
  if (type === undefined) return invalid("type is missing", id);
  if (typeof type !== "string") return invalid("type must be a string", id);
  return type === "auth" ? { type, id, data, room, token } : { type, id, data, room };
}

/** Why `room` is no room's name; undefined when it is one. */
export function roomProblem(room: unknown): string | undefined {
  if (room === undefined) return "room is missing";
  if (typeof room !== "string") return "room must be a string";
  if (room === "") return "room is empty";
  return nameProblem("room", room);
}

/** Why a name of a room or a user is refused; undefined when it is good. */
export function nameProblem(what: string, name: string): string | undefined {
  if (isLongerThan(name, MAX_NAME_BYTES)) {
    return `${what} is longer than ${MAX_NAME_BYTES} bytes`;
  }
  if (CONTROL_CHARACTER.test(name)) return `${what} has a control character`;
  if (!name.isWellFormed()) return `${what} has a lone surrogate`;
  return undefined;
}

/**
 * A message for clients: `{"type":"message","data":…}`, with the room where it went to one.
 *
 * @throws {TypeError} The data has a cycle or a BigInt.
 */
export function messageFrame(data: unknown, room?: string): Frame {
  const body = JSON.stringify(data) ?? "null";
  const suffix = room === undefined ? "" : `,"room":${JSON.stringify(room)}`;
  return new Frame(`{"type":"message","data":${body}${suffix}}`);
}

/**
 * The answer to a frame with an `id`; `data` stands in it where the flow has a response.
 *
 * @throws {TypeError} The data has a cycle or a BigInt.
 */
export function ackFrame(id: FrameId, response?: { readonly data: unknown }): Frame {
  const suffix = response === undefined ? "" : `,"data":${JSON.stringify(response.data) ?? "null"}`;
  return new Frame(
    `{"type":"ack","id":${typeof id === "number" ? id : JSON.stringify(id)}${suffix}}`,
  );
}

/**
 * The answer to a frame that could not be served.
 *
 * @throws {TypeError} The details have a cycle or a BigInt.
 */
export function errorFrame({ code, message, id, details, retryAfter }: Refusal): Frame {
  const fields = { type: "error", message, code, id, details, retry_after_ms: retryAfter };
  return new Frame(JSON.stringify(fields));
}

/** Stands in the place of messages that were left out. */
export function droppedFrame(count: number): Frame {
  return new Frame(JSON.stringify({ type: "dropped", count }));
}

/** The answer to an application-level ping. */
export function pongFrame(id: FrameId | undefined): Frame {
  return new Frame(JSON.stringify({ type: "pong", id }));
}

function invalid(message: string, id?: FrameId): Refusal {
  return { code: "invalid_message", message, id };
}

function isFrameId(id: unknown): id is FrameId {
  if (typeof id !== "string") return Number.isSafeInteger(id);
  // A character is at most two units, so a hostile text is never taken apart.
  return id.length <= 2 * MAX_ID_LENGTH && [...id].length <= MAX_ID_LENGTH;
}
