/** What a client says in a join about the messages that it has. No I/O. */
import { isObject } from "../../../base/json.ts";
import type { Position } from "../../../base/kept-messages.ts";

/** The longest epoch, in characters. */
const LONGEST = 128;

/** That it wants offsets, or that it has all messages up to a position. */
export type HistoryWish = true | Position;

/** The field `history` of a `join_room` frame; undefined where it asks for nothing. */
export function readHistory(
  value: unknown,
): HistoryWish | undefined | { readonly problem: string } {
  if (value === undefined || value === false) return undefined;
  if (value === true) return true;
  if (isObject(value)) {
    const { epoch, offset } = value;
    if (isEpoch(epoch) && isOffset(offset)) return { epoch, offset };
  }
  return {
    problem: 'history must be true, false or {"epoch":…,"offset":…} as the server sent them',
  };
}

/**
 * The position in a room among those of `text`, which has one for each room: the room in
 * percent-encoding, the epoch and the offset with colons between them, and commas between the rooms.
 * Undefined where the room has none, or one that makes no sense.
 */
export function resumedFrom(text: string, room: string): Position | undefined {
  for (const one of text.split(",")) {
    const found = /^([^:]*):([^:]+):(\d{1,16})$/.exec(one);
    if (found === null || decoded(found[1]) !== room) continue;
    const [epoch, offset] = [found[2], Number(found[3])];
    return isEpoch(epoch) && isOffset(offset) ? { epoch, offset } : undefined;
  }
  return undefined;
}

/** The room that a text in percent-encoding names; undefined where it is malformed. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function isEpoch(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= LONGEST;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}
