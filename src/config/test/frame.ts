/** `given` blocks of clients: a frame, or the beginning and the end of a connection. */
import {
  attribute,
  type Fields,
  type ReadContext,
  readFields,
  type Values,
} from "../../contract/fields.ts";
import { flag, integer, text } from "../../contract/value-schema.ts";
import type { Block } from "../../hcl/tree.ts";
import type { GivenStep } from "../../model/test.ts";
import { anything, frameId, placeOf, refuse } from "./block.ts";
import type { Subject } from "./client.ts";
import { identityFields, identityOf } from "./identity.ts";

/** The attributes of such a block. */
export const frameFields = {
  operation: attribute(text(), {
    about: "A frame's type, a routing key, or `METHOD /path?query`. A client may also " +
      "`connect` and `disconnect`.",
    default: "message",
  }),
  data: attribute(anything(), { about: "What is sent." }),
  room: attribute(text(), { about: "A frame's room." }),
  id: attribute(frameId(), { about: "A frame's id, which asks for an answer." }),
  message_id: attribute(text(), { about: "A frame's `message_id`." }),
  history: attribute(flag(), {
    about: "In a `join_room`: asks for offsets, and once the client has some, for what it missed.",
    default: false,
  }),
  text: attribute(text(), { about: "A whole frame or body as text, which may be malformed." }),
  presence: attribute(anything(), {
    about:
      "In a frame `join_room`: true asks for the members of the room; an object also tells of the client.",
  }),
  code: attribute(integer({ min: 1000, max: 4999 }), {
    about: "The close code of a `disconnect`, 1000 by default; 1006 for a connection that is cut.",
  }),
  reads: attribute(flag(), {
    about: "Instead of a frame: whether the client reads from now on.",
  }),
  ...identityFields,
} satisfies Fields;

/** Reads such a block. */
export function readFrame(
  { client: name, verified, sse }: Extract<Subject, { readonly client: string }>,
  block: Block,
  context: ReadContext,
): GivenStep {
  const values = readFields(block.body, frameFields, block.headerSpan, context);
  const { operation, room, id, message_id, presence } = values;
  const step = { subject: name, place: placeOf(block) };
  if (values.reads !== undefined) {
    for (const other of ["operation", "code", ...FRAME]) {
      const message = `takes no ${other} beside reads`;
      const hint = "send the frame in a given block of its own";
      refuse(values, other, { code: "unused-attribute", message, hint }, context);
    }
    return { ...step, kind: "reading", reads: values.reads };
  }
  if (operation === "connect" || operation === "disconnect") {
    for (const other of FRAME) {
      const message = `takes no ${other}: ${operation} is not a frame`;
      refuse(values, other, { code: "unused-attribute", message }, context);
    }
    if (operation === "disconnect") return { ...step, kind: operation, code: values.code };
    refuseCode(values, context);
    return { ...step, kind: operation };
  }
  refuseCode(values, context);
  if (operation !== "join_room") {
    const message = "takes no presence: only a frame join_room has it";
    refuse(values, "presence", { code: "unused-attribute", message }, context);
  }
  if (sse) {
    context.report({
      code: "invalid-operation",
      span: block.labels[0].span,
      message: `${context.subject} cannot send a frame: the client has sse, and only listens`,
      hint: "send it with a client that has a WebSocket",
    });
  }
  if (values.text === undefined) {
    const renews = operation === "auth" && verified;
    for (const name of renews ? [] : Object.keys(identityFields)) {
      const message =
        `takes no ${name}: only a frame "auth" has a token, where the connector has auth`;
      refuse(values, name, { code: "unused-attribute", message }, context);
    }
    return {
      ...step,
      kind: "frame",
      text: JSON.stringify({ type: operation, id, data: values.data, room, message_id, presence }),
      renewal: renews ? identityOf(values) : undefined,
      resumes: readResumes(values, operation, context),
    };
  }
  for (const other of ["operation", ...FRAME.filter((name) => name !== "text")]) {
    const message = `takes no ${other} beside text`;
    const hint = "text is the whole frame";
    refuse(values, other, { code: "unused-attribute", message, hint }, context);
  }
  return { ...step, kind: "frame", text: values.text, renewal: undefined, resumes: undefined };
}

/** The room of a join with history. */
function readResumes(
  values: Values<typeof frameFields>,
  operation: string,
  context: ReadContext,
): string | undefined {
  if (!values.history) return undefined;
  if (operation !== "join_room") {
    const message = `takes no history: only join_room asks for it`;
    refuse(values, "history", { code: "unused-attribute", message }, context);
  }
  if (values.id === undefined) {
    const message = "needs an id beside history: the position is in the answer";
    refuse(values, "history", { code: "missing-attribute", message }, context);
  }
  return values.room;
}

/** The attributes of a frame, beside its type. */
const FRAME = [
  "data",
  "room",
  "id",
  "message_id",
  "presence",
  "history",
  "text",
  "user_id",
  "claims",
];

function refuseCode(values: object, context: ReadContext): void {
  const message = "takes no code: only disconnect has one";
  refuse(values, "code", { code: "unused-attribute", message }, context);
}
