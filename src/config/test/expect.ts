/** `expect` blocks: what must have happened. */
import { sourceOf } from "../../contract/definition.ts";
import {
  attribute,
  type Field,
  type Fields,
  type ReadContext,
  readFields,
} from "../../contract/fields.ts";
import type { ExpectStep } from "../../model/test.ts";
import { flag, integer, text } from "../../contract/value-schema.ts";
import { type Places, placesOf } from "../../contract/places.ts";
import type { Block } from "../../hcl/tree.ts";
import {
  anything,
  frameId,
  labelled,
  lowerCase,
  type Placed,
  placeOf,
  refuse,
  textMap,
  within,
} from "./block.ts";
import type { Cast, Subject } from "./client.ts";

const amountFields = {
  count: attribute(integer(), {
    about:
      "The exact number of matches that no earlier `expect` consumed. By default the first that " +
      "matches is taken.",
  }),
  nothing: attribute(flag(), {
    about: "Nothing has come that no earlier `expect` took.",
    default: false,
  }),
} satisfies Fields;
const data = attribute(anything(), { about: "What it holds at least." });
const error = attribute(text(), { about: "The code of an error, such as `validation_failed`." });
const status = attribute(integer({ min: 100, max: 599 }), {
  about: "The HTTP status of an answer, or of a refused handshake.",
});

/** What a client gets. */
const clientFields = {
  type: attribute(text(), { about: "A frame's type; `close` where the server closed." }),
  data,
  room: attribute(text(), { about: "A frame's room." }),
  presence: attribute(anything(), {
    about: "What a frame `presence` tells at least, such as `{ count = 2 }`.",
  }),
  id: attribute(frameId(), { about: "The id of the frame that is answered." }),
  offset: attribute(integer(), { about: "The offset of a message, or in the answer of a join." }),
  recovered: attribute(flag(), { about: "Whether a join with a position was recovered." }),
  error,
  details: attribute(anything(), { about: "What an error frame tells of it." }),
  status,
} satisfies Fields;
/** What a connector is asked. */
const writeFields = {
  step: attribute(text(), { about: "What a step of this name asked, not a destination." }),
  operation: attribute(text(), { about: "The operation of what a connector was asked." }),
  target: attribute(text(), { about: "Its target." }),
  data,
} satisfies Fields;
/** What an HTTP caller is answered. */
const answerFields = {
  status,
  data,
  headers: attribute(textMap(), { about: "Headers of an answer." }),
} satisfies Fields;

/** Of every kind of subject; which of them a block may have depends on its subject. */
export const expectFields: Fields = {
  ...clientFields,
  ...writeFields,
  ...answerFields,
  ...amountFields,
};

/** The `expect` blocks. */
export function expectField(cast: Cast): Field<readonly Placed<ExpectStep>[]> {
  return {
    kind: "block",
    about: "What the client or connector that its label names must have got, at least in part.",
    type: "blocks",
    required: false,
    fields: expectFields,
    read: (body, kind, _owner, context) =>
      labelled(body, kind, context).map(([name, block]) => {
        const inner = within(context, kind, name);
        const fields = fieldsOf(cast.subject(name, block, inner));
        return { block, value: readExpect(name, block, fields, inner) };
      }),
  };
}

/** The attributes for what a client or a connector can get. */
function fieldsOf(subject: Subject | undefined): Fields {
  if (subject === undefined) return expectFields;
  if ("client" in subject) return { ...clientFields, ...amountFields };
  const { definition, options } = subject.connector;
  const { destination, step } = definition;
  const source = sourceOf(definition, options);
  return {
    ...(destination !== undefined || step !== undefined ? writeFields : {}),
    ...(source?.kind === "requests" ? answerFields : {}),
    ...(source === undefined ? {} : { error }),
    ...amountFields,
  };
}

function readExpect(name: string, block: Block, fields: Fields, context: ReadContext): ExpectStep {
  const values = readFields(block.body, fields, block.headerSpan, context);
  const places: Places = placesOf(values);
  const { nothing, count, headers, ...others } = values as {
    readonly nothing: boolean;
    readonly count: number | undefined;
    readonly headers?: Readonly<Record<string, string>>;
  };
  const wanted = { ...others, ...(headers && { headers: lowerCase(headers) }) };
  if (nothing) {
    for (const other of [...Object.keys(wanted), "count"]) {
      const message = `has both nothing and ${other}`;
      const hint = "keep one of them";
      refuse(values, other, { code: "conflicting-attributes", message, hint }, context);
    }
  } else if (!places.attributes.some((attribute) => attribute !== "nothing")) {
    const hint = `add one of ${Object.keys(fields).join(", ")}`;
    const message = `${context.subject} expects nothing in particular`;
    context.report({ code: "empty-block", span: block.headerSpan, message, hint });
  }
  return {
    kind: "expect",
    subject: name,
    nothing,
    fields: Object.fromEntries(
      Object.entries(wanted).filter(([attribute]) => places.has(attribute)),
    ),
    count,
    place: placeOf(block),
  };
}
