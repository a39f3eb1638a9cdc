/** Who is in a room. */
import type { Member } from "./contract.ts";
import type { Frame } from "./frame.ts";

/** What is known of a room's members. */
export interface Presence {
  readonly members: Map<string, Member>;
  count: number;
}

/** Takes a presence frame: the whole list, what has changed, or the number alone. */
export function updatePresence(presence: Presence, frame: Frame): void {
  const { members } = presence;
  const { count, left, joined, changed } = frame;
  if (typeof count === "number") presence.count = count;
  if (!left && !joined && !changed) members.clear();
  for (const list of [left, frame.members, joined, changed]) {
    for (const member of Array.isArray(list) ? list.filter(Boolean) : []) {
      // A user and a key may be the same text.
      const key = JSON.stringify([member.user_id, member.key]);
      if (list === left) members.delete(key);
      else members.set(key, member);
    }
  }
}
