/** Warnings about what flows send to rooms with a history. No I/O. */
import type { CodedProblem, Destination } from "../../../contract/definition.ts";
import type { WebSocketDestinationOptions } from "../options.ts";
import type { RoomOptions } from "../rooms/fields.ts";

/** Checks a block that sends to a room. `rooms` is undefined where they could not be read. */
export function checkKept(
  { target, options }: Destination<WebSocketDestinationOptions>,
  rooms: readonly RoomOptions[] | undefined,
): CodedProblem[] {
  if (rooms === undefined) return [];
  const { filter, message_id } = options;
  const may = mayBeKept(target, rooms);
  const problems: CodedProblem[] = [];
  if (message_id !== undefined && !may) {
    problems.push({
      code: "unused-attribute",
      attribute: "message_id",
      message: "has a message_id, although no room that it sends to has a history",
      hint: "add history { } to the room, or delete it",
      severity: "warning",
    });
  }
  if (filter !== undefined && may) {
    problems.push({
      code: "not-kept",
      attribute: "filter",
      message:
        "has a filter: what it sends has no place in the history of a room, so a client that " +
        "comes back does not get it",
      hint: "use a room for each group of recipients",
      severity: "warning",
    });
  }
  return problems;
}

/** Whether what a block sends may be kept. */
export function isKept(
  { operation, target, options }: Destination<WebSocketDestinationOptions>,
  rooms: readonly RoomOptions[],
): boolean {
  return operation === "send_to_room" && options.filter === undefined && mayBeKept(target, rooms);
}

/** Whether a target may be a room with history. */
function mayBeKept(
  target: Destination["target"],
  rooms: readonly RoomOptions[],
): boolean {
  const kept = rooms.filter(({ history }) => history !== undefined);
  if (typeof target !== "string") return kept.length > 0;
  const [first] = rooms.filter(({ pattern }) => pattern.matches(target))
    .toSorted((a, b) => a.pattern.compare(b.pattern));
  return first?.history !== undefined;
}
