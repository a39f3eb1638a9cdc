/** The `presence` block of a `room` block. */
import { expression } from "../../../contract/expression-fields.ts";
import {
  attribute,
  type Field,
  type Fields,
  findBlocks,
  readFields,
  type Values,
} from "../../../contract/fields.ts";
import { dataType } from "../../../contract/type-field.ts";
import { duration, integer } from "../../../contract/value-schema.ts";

/** The attributes of the block. */
export const presenceFields = {
  info: expression({
    about: "What others are told of a member, at most 1 KB of JSON; sees `client`, `room` and " +
      "`match`. Nothing by default.",
  }),
  leave_grace: attribute(duration({ min: 0 }), {
    about: "How long a member whose connection is lost keeps its place.",
    default: "3s",
  }),
  max: attribute(integer({ min: 1 }), {
    about: "Above this many members of a room only their number is told.",
    default: 1000,
  }),
  data: dataType({
    about: "The type of what clients tell of themselves; without it they can tell nothing.",
  }),
} satisfies Fields;

/** The options of the block. */
export type PresenceOptions = Values<typeof presenceFields> & {
  /** Milliseconds between two frames to the same clients. */
  readonly interval: number;
};

/** At most ten frames a second, also where timers fire a little early. */
const INTERVAL = 105;

/** The block. */
export const presenceField: Field<PresenceOptions | undefined> = {
  kind: "block",
  about: "Tells the members of the room to clients that ask for them.",
  type: "block",
  required: false,
  fields: presenceFields,
  read(body, name, _owner, context) {
    const [found] = findBlocks(body, name, 1, context);
    if (found === undefined) return undefined;
    // `info` is evaluated again when a token is renewed, without the look-ups of the join.
    const variables = context.variables.filter((one) => one !== "step");
    const hints = { ...context.hints, step: "info is also evaluated without a join" };
    const subject = `${context.subject}, ${name}`;
    const inner = { ...context, subject, variables, hints };
    return {
      ...readFields(found.body, presenceFields, found.headerSpan, inner),
      interval: INTERVAL,
    };
  },
};
