/** Messages that are kept, and their frames. No I/O. */
import type { Position } from "../../../base/kept-messages.ts";
import type { Frame } from "../../../transport/frame.ts";
import type { OpenConnection } from "../registry.ts";
import type { Outboxes } from "../slow-client/outboxes.ts";

/** A message of a room as it is kept. */
export interface Kept {
  /** The text of its frame, without an offset. */
  readonly text: string;
  /** The key that `coalesce` uses. */
  readonly key: string | undefined;
  /** The `id` of the client that it leaves out, with that client's user; undefined for none. */
  readonly except: string | undefined;
  readonly user: string | undefined;
}

/** What is kept of a room, as far as somebody has asked. */
export interface Found {
  /** The place behind the newest message. */
  readonly newest: Position;
  /** The messages up to there, oldest first; undefined where some of them are gone. */
  readonly messages: readonly Kept[] | undefined;
}

/** More than an offset and an epoch add to a frame, in bytes. */
export const ADDED_SIZE = 192;

/**
 * How a client is told the place of a message: by the offset, since an answer has told it the epoch;
 * by both, where a flow has joined it; or by the id of the event on a stream, too.
 */
export type Form = "offset" | "place" | "event";

/** The place of a message in a room as a client sends it back to resume. */
export function placeText(room: string, { epoch, offset }: Position): string {
  return `${encodeURIComponent(room)}:${epoch}:${offset}`;
}

/** The frame of a message for a client that asked for offsets. */
export function offsetFrame(
  outboxes: Outboxes,
  room: string,
  { text, key }: Pick<Kept, "text" | "key">,
  at: Position,
  form: Form,
): Frame {
  const epoch = form === "offset" ? "" : `,"epoch":${JSON.stringify(at.epoch)}`;
  const whole = `${text.slice(0, -1)},"offset":${at.offset}${epoch}}`;
  const frame = outboxes.relayed(whole, key, room);
  if (form === "event") frame.eventId = placeText(room, at);
  return frame;
}

/** Whether a message is for a connection: not where its user has sent it and is left out. */
export function isFor({ except, user }: Kept, { id, state }: OpenConnection): boolean {
  if (except === undefined) return true;
  return except !== id && (user === undefined || user !== state.credentials.identity.userId);
}
