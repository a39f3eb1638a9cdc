/** What a `join_room` frame asks for beside the membership. No I/O. */

import { isObject } from "../../base/json.ts";
import { type HistoryWish, readHistory } from "./history/wish.ts";

/** What a client asks for when it joins a room. */
export interface JoinWishes {
  /** To be told where messages of the room may be missing. */
  readonly resync?: boolean;
  /** To be told the members of the room; `data` is what the client tells of itself, if anything. */
  readonly presence?: { readonly data?: Readonly<Record<string, unknown>> };
  /** The offsets of the room's messages, and what it has missed. */
  readonly history?: HistoryWish;
  /** A flow has joined it. */
  readonly isOrdered?: boolean;
  /** It is the join of a stream: its messages are events, and nothing is acknowledged. */
  readonly isStream?: boolean;
}

/** A join that asks for nothing more. */
export const NO_WISHES: JoinWishes = Object.freeze({});

/** A join by a flow's order that asks for nothing more: what the client has asked for stays. */
export const ORDERED: JoinWishes = Object.freeze({ isOrdered: true });

/** A join by a flow's order that asks for the history of the room. */
export const ORDERED_WITH_HISTORY: JoinWishes = Object.freeze({ isOrdered: true, history: true });

/** The wishes of a `join_room` frame, or why it is malformed. */
export function readWishes(fields: Readonly<Record<string, unknown>>): JoinWishes | string {
  const { resync, presence, id } = fields;
  if (resync !== undefined && typeof resync !== "boolean") return "resync must be true or false";
  if (presence !== undefined && typeof presence !== "boolean" && !isObject(presence)) {
    return "presence must be true, false or an object";
  }
  const history = readHistory(fields.history);
  if (history !== undefined && history !== true && "problem" in history) return history.problem;
  if (history !== undefined && id === undefined) return "a join with history needs an id";
  if (resync === undefined && presence === undefined && history === undefined) return NO_WISHES;
  return {
    ...(resync !== undefined && { resync }),
    ...(presence === true && { presence: {} }),
    ...(isObject(presence) && { presence: { data: presence } }),
    ...(history !== undefined && { history }),
  };
}
