/** Finds the `room` blocks whose rooms no flow sends to. */
import type { CodedProblem, Usage } from "../../../contract/definition.ts";
import { didYouMean } from "../../../base/nearest.ts";
import type { RoomOptions } from "./fields.ts";

/** What gives a room something to hear, or members. */
const REACHING: readonly (string | undefined)[] = ["send_to_room", "join_room"];

/** A problem for each such block; none where an event may decide about the room. */
export function unusedRooms(
  rooms: readonly RoomOptions[],
  { requests, paths }: Usage,
): readonly CodedProblem[] {
  const targets = requests.filter(({ operation }) => REACHING.includes(operation))
    .map(({ target }) => target);
  // A filter over `client.rooms` reaches the members of a room by a broadcast, too.
  const filtered = [...paths].some((path) => path === "client" || /^client\.rooms\b/.test(path));
  if (filtered || targets.includes(undefined)) return [];
  const names = targets as string[];
  return rooms.filter(({ pattern }) => !names.some((name) => pattern.matches(name)))
    .map(({ pattern: { text } }): CodedProblem => ({
      code: "unused-room",
      attribute: "room",
      label: text,
      message: `has a room "${text}" that no flow sends to`,
      hint: didYouMean(text, names) ?? "a flow does with send_to_room",
    }));
}
