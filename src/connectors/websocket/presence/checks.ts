/** What `weir check` says about presence: of the connector, and of steps that ask for it. */
import type { CodedProblem, Destination } from "../../../contract/definition.ts";
import type { WebSocketDestinationOptions, WebSocketOptions } from "../options.ts";
import type { RoomOptions } from "../rooms/fields.ts";

/** The operation of a step that asks for the members of a room. */
export const PRESENCE = "presence";

/** Whether rooms of a connector have presence. */
export function hasPresence({ room }: Pick<WebSocketOptions, "room">): boolean {
  return room.some(({ presence }) => presence !== undefined);
}

/** Warns of presence of users that nobody has verified. */
export function checkPresence({ room, auth }: WebSocketOptions): CodedProblem[] {
  const [first] = room.filter(({ presence }) => presence !== undefined);
  if (auth !== undefined || first === undefined) return [];
  const { text } = first.pattern;
  return [{
    code: "unverified-user",
    attribute: "room.presence",
    label: text,
    message: `has presence in room "${text}", and no auth: anybody may be anybody`,
    hint: "an auth block verifies the user",
    severity: "warning",
  }];
}

/** Checks a step that asks for the members of a room. */
export function checkPresenceStep(
  { target, options, params }: Destination<WebSocketDestinationOptions>,
  { room }: WebSocketOptions,
): CodedProblem[] {
  const problems = Object.entries(options)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([attribute]): CodedProblem => unused(attribute));
  if (params !== undefined) problems.push(unused("params"));
  if (target === undefined) {
    problems.push({ code: "missing-target", message: "needs a target: the room" });
  } else if (!hasPresence({ room })) {
    const message = "asks for presence, and no room of the connector has it";
    const hint = "a presence block in a room block";
    problems.push({ code: "connector-rule", attribute: "operation", message, hint });
  } else if (typeof target === "string" && ruleOf(room, target)?.presence === undefined) {
    const message = `asks for presence of room "${target}", which has none`;
    const hint = "a presence block in its room block";
    problems.push({ code: "connector-rule", attribute: "target", message, hint });
  }
  return problems;
}

function ruleOf(rooms: readonly RoomOptions[], name: string): RoomOptions | undefined {
  return rooms.toSorted((a, b) => a.pattern.compare(b.pattern))
    .find(({ pattern }) => pattern.matches(name));
}

function unused(attribute: string): CodedProblem {
  const message = `has ${attribute}, which ${PRESENCE} does not use`;
  return { code: "unused-attribute", attribute, message };
}
