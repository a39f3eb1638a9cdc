/** `mock` blocks: what a connector returns instead of acting. */
import {
  attribute,
  type Field,
  type Fields,
  type ReadContext,
  readFields,
} from "../../contract/fields.ts";
import type { MockStep } from "../../model/test.ts";
import { duration, flag, integer, text } from "../../contract/value-schema.ts";
import { placesOf } from "../../contract/places.ts";
import type { Block } from "../../hcl/tree.ts";
import { anything, labelled, type Placed, placeOf, refuse, within } from "./block.ts";
import type { Cast } from "./client.ts";

/** The attributes of a `mock` block. */
export const mockFields = {
  step: attribute(text(), { about: "Only for steps of this name." }),
  operation: attribute(text(), { about: "Only for this operation." }),
  target: attribute(text(), { about: "Only for this target." }),
  returns: attribute(anything(), { about: "What the connector returns; nothing by default." }),
  error: attribute(text(), { about: "Why it fails instead." }),
  permanent: attribute(flag(), {
    about: "With `error`: whether a second try cannot succeed either.",
    default: false,
  }),
  status: attribute(integer({ min: 100, max: 599 }), {
    about:
      "With `error`: the status that an API has answered with, which flows see as `error.status`.",
  }),
  body: attribute(anything(), {
    about: "With `error`: the body of that answer, which flows see as `error.body`.",
  }),
  delay: attribute(duration(), {
    about: "How much later, on the test's clock, it returns or fails; at once by default.",
  }),
  times: attribute(integer({ min: 1 }), {
    about: "How often it answers; then the connector itself does again. Always by default.",
  }),
} satisfies Fields;

/** The `mock` blocks. */
export function mockField(cast: Cast): Field<readonly Placed<MockStep>[]> {
  return {
    kind: "block",
    about: "From here on the connector that its label names answers so, and does nothing.",
    type: "blocks",
    required: false,
    fields: mockFields,
    read: (body, kind, _owner, context) =>
      labelled(body, kind, context).map(([name, block]) => {
        const inner = within(context, kind, name);
        checkConnector(name, block, cast, inner);
        return { block, value: readMock(name, block, inner) };
      }),
  };
}

function checkConnector(name: string, block: Block, cast: Cast, context: ReadContext): void {
  const connector = cast.connector(name, block, context);
  if (connector === undefined) return;
  const { type, definition: { destination, step } } = connector;
  if (destination !== undefined || step !== undefined) return;
  const message = `${context.subject}: connector "${name}" (${type}) cannot be mocked: ` +
    "no flow can write to it or read from it";
  context.report({ code: "not-a-destination", span: block.labels[0].span, message });
}

function readMock(name: string, block: Block, context: ReadContext): MockStep {
  const values = readFields(block.body, mockFields, block.headerSpan, context);
  const { delay = 0, times = Infinity, ...answer } = values;
  if (placesOf(values).has("error")) {
    const message = "has both returns and error";
    const hint = "keep one of them";
    refuse(values, "returns", { code: "conflicting-attributes", message, hint }, context);
  } else {
    for (const name of ["permanent", "status", "body"] as const) {
      const message = `takes no ${name} without an error`;
      refuse(values, name, { code: "unused-attribute", message }, context);
    }
  }
  return { kind: "mock", subject: name, ...answer, delay, times, place: placeOf(block) };
}
