/** The `room` blocks of a connector, and the warning about those that no flow uses. */
import { didYouMean } from "../../../base/nearest.ts";
import type { CodedProblem, Usage } from "../../../contract/definition.ts";
import { expression } from "../../../contract/expression-fields.ts";
import type { Expression } from "../../../expression/mod.ts";
import {
  type Field,
  type Fields,
  nameBlocks,
  type ReadContext,
  readFields,
} from "../../../contract/fields.ts";
import { checkMatch, type MatchNames } from "../../../contract/match-names.ts";
import { misspelledOf } from "../../../contract/places.ts";
import { lookups, StepNames } from "../../../contract/step-fields.ts";
import type { LookupModel } from "../../../contract/request.ts";
import { presenceField, type PresenceOptions } from "../presence/fields.ts";
import type { Keep } from "../../../base/kept-messages.ts";
import { historyField } from "../history/fields.ts";
import { checkPattern, SENT } from "./names.ts";
import { RoomPattern } from "./pattern.ts";

/** The attributes of a `room` block. */
export const roomFields = {
  step: lookups({
    about: "Looks something up for `join`; its result is `step.NAME`. Sees `client`, `room` and " +
      "`match`. Sends `room`, `user_id` and the names of the pattern if it has no `params`.",
  }),
  join: expression({
    about: "Whether a client may join; sees `client`, `room`, `match` and `step`. True by default.",
  }),
  presence: presenceField,
  history: historyField,
} satisfies Fields;

/** A `room` block. */
export interface RoomOptions {
  /** The rooms that it applies to. */
  readonly pattern: RoomPattern;
  /** Run before `join` is evaluated. */
  readonly steps: readonly LookupModel[];
  /** Undefined where every client may join. */
  readonly join: Expression | undefined;
  /** Undefined where nobody is told the members. */
  readonly presence?: PresenceOptions | undefined;
  /** How many messages of each room are kept; undefined for none. */
  readonly history?: Keep | undefined;
}

/** The `room` blocks of a connector. */
export const roomsField: Field<readonly RoomOptions[]> = {
  kind: "block",
  about: "Rooms that clients may join; the label is their name, with `*` for any characters and " +
    "`{name}` for a part without colons, which is `match.name`. If there is one, rooms that match " +
    "none are refused. The most specific pattern counts.",
  type: "blocks",
  required: false,
  fields: roomFields,
  read(body, kind, _owner, context) {
    const blocks = body.blocks.filter(({ type }) => type === kind);
    const named = nameBlocks(blocks, kind, `${context.subject}: `, context.report);
    return named.map(([label, block]) => {
      const subject = `${context.subject}, ${kind} ${JSON.stringify(label)}`;
      const pattern = new RoomPattern(label);
      if (pattern.problem !== undefined) {
        const message = `${subject}: no room can match: ${pattern.problem}`;
        context.report({ code: "unmatched-room", span: block.labels[0].span, message });
      }
      checkPattern(pattern, block.labels[0].span, subject, context.report);
      const names = stepNames(block.body.blocks, subject, context.report);
      const hidden = misspelledOf(block.body, roomFields).has("step");
      if (hidden) names.addUnread();
      const hasSteps = hidden || block.body.blocks.some(({ type }) => type === "step");
      const steps = hasSteps ? ["step"] : [];
      const match = pattern.names.length + pattern.problems.length === 0 ? [] : ["match"];
      // Names that could not be read may be any.
      const known = pattern.problems.length > 0 ? undefined : pattern.names;
      const matched: MatchNames = {
        names: known,
        lacking: (name) => `${subject}: the pattern has no name "${name}"`,
      };
      const inner: ReadContext = {
        ...context,
        subject,
        variables: [...context.variables, "client", "room", ...match, ...steps],
        sent: known && [...SENT, ...known],
        onExpression(expression, span) {
          checkMatch(expression, span, matched, context.report);
          context.onExpression?.(expression, span);
        },
      };
      const { step, join, presence, history } = readFields(
        block.body,
        roomFields,
        block.headerSpan,
        {
          ...inner,
          onExpression(expression, span) {
            names.check(expression, span);
            inner.onExpression?.(expression, span);
          },
          // The expressions of steps see only those before them, which is checked where they are read.
          lookups: (body, name) => context.lookups?.(body, name, inner) ?? [],
        },
      );
      return { pattern, steps: step, join, presence, history };
    });
  },
};

/** The names of all steps of a block: `join` is evaluated after them. */
function stepNames(
  blocks: readonly {
    readonly type: string;
    readonly labels: readonly { readonly text: string }[];
  }[],
  subject: string,
  report: ReadContext["report"],
): StepNames {
  const names = new StepNames(subject, report);
  for (const { type, labels: [label] } of blocks) {
    if (type !== "step") continue;
    if (label === undefined) names.addUnread();
    else names.add(label.text);
  }
  return names;
}

/** The names that all patterns have. */
export function namesIn(rooms: readonly RoomOptions[]): readonly string[] {
  return [...new Set(rooms.flatMap(({ pattern }) => pattern.names))];
}

/** The operations that send to a room, or add members to it. */
const REACHING: readonly (string | undefined)[] = ["send_to_room", "join_room"];

/** A problem for each such block; none where an event may decide about the room. */
export function unusedRooms(
  rooms: readonly RoomOptions[],
  usage: Usage,
): readonly CodedProblem[] {
  const { requests, paths } = usage;
  const reaching = requests.filter(({ operation }) => REACHING.includes(operation));
  const targets = reaching.map(({ target }) => target);
  // A filter over `client.rooms` reaches the members of a room by a broadcast, too.
  const filtered = [...paths].some((path) => path === "client" || /^client\.rooms\b/.test(path));
  if (filtered || targets.includes(undefined)) return [];
  // A name that is wrong there has been reported, and is the cause.
  if (reaching.some((one) => isClosed(one, rooms, usage))) return [];
  const names = targets as string[];
  // Clients may join one for its presence alone.
  return rooms.filter(({ presence }) => presence === undefined)
    .filter(({ pattern }) => !names.some((name) => pattern.matches(name)))
    .map(({ pattern: { text } }): CodedProblem => ({
      code: "unused-room",
      attribute: "room",
      label: text,
      message: `has a room "${text}" that no flow sends to`,
      hint: "add a flow with send_to_room, or delete the block",
    }));
}

/**
 * The warning about a block that sends to a room in which nobody can be: the connector has `room`
 * blocks, none allows it to clients, and no flow adds members to it.
 */
export function closedRoom(
  request: Request,
  rooms: readonly RoomOptions[],
  usage: Usage,
): readonly CodedProblem[] {
  const { target = "" } = request;
  if (!isClosed(request, rooms, usage)) return [];
  const names = rooms.map(({ pattern }) => pattern.text);
  return [{
    code: "closed-room",
    attribute: "target",
    message: `sends to the room "${target}", which no room block allows to clients`,
    hint: didYouMean(target, names) ?? `add room "${target}" { … }; there is ${names.join(", ")}`,
  }];
}

/** What a block asks of the connector. */
type Request = Usage["requests"][number];

function isClosed(
  { operation, target }: Request,
  rooms: readonly RoomOptions[],
  { requests }: Usage,
): boolean {
  if (operation !== "send_to_room" || target === undefined || target === "") return false;
  if (rooms.length === 0 || rooms.some(({ pattern }) => pattern.matches(target))) return false;
  const joins = requests.filter((one) => one.operation === "join_room");
  return !joins.some((one) => one.target === undefined || one.target === target);
}
