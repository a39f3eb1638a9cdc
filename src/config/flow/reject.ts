/** The `reject` blocks of a flow: refusals with a code of their own. */
import * as v from "valibot";
import { RESERVED_CODES } from "../../base/error-codes.ts";
import type { Settlement } from "../../contract/connector.ts";
import { expression } from "../../contract/expression-fields.ts";
import {
  attribute,
  type Field,
  type Fields,
  findBlocks,
  type ReadContext,
  readFields,
  required,
  type Values,
} from "../../contract/fields.ts";
import { placesOf } from "../../contract/places.ts";
import type { StepNames } from "../../contract/step-fields.ts";
import { integer, oneOf, text, valueSchema } from "../../contract/value-schema.ts";
import type { Block } from "../../hcl/tree.ts";
import type { RejectModel } from "../../model/mod.ts";
import { type EventSource, whyNoStatus } from "./answers.ts";
import type { DestinationNames } from "./destination-names.ts";
import { SETTLEMENTS } from "./source.ts";

/** The form of an error code. */
const CODE = /^[a-z0-9_]{1,64}$/;

/** The code of an error, none of the protocol's own. */
const code = valueSchema(
  "code",
  v.pipe(
    v.string("must be text in quotes"),
    v.regex(CODE, "must have 1 to 64 characters: small letters, digits and _"),
    v.check(
      (code) => !RESERVED_CODES.has(code),
      ({ input }) =>
        `must not be "${input}", a code of the protocol\nuse a name that says what is wrong`,
    ),
  ),
);

/** The attributes of a `reject` block. */
export const rejectFields = {
  when: required(expression({ about: "True: the event is refused." })),
  code: required(attribute(code, { about: "The code of the error, for programs." })),
  message: attribute(text({ maxLength: 1000 }), {
    about: "The message of the error, for people; by default it names the flow.",
  }),
  status: attribute(integer({ min: 400, max: 599 }), {
    about: "The HTTP status, for REST and for `connect`.",
    default: 403,
  }),
  on_reject: attribute(oneOf(SETTLEMENTS), {
    about:
      "What happens to a refused event: `reject` is an error for the sender, `ack` counts as handled, `requeue` has a message redelivered.",
    default: "reject",
  }),
} satisfies Fields;

/** What a `reject` below a `to` may use beside the variables of the flow. */
const DELIVERED = ["output", "payload", "outputs", "results"];

/**
 * The `reject` blocks. Each one sees the results of the steps and destinations above it, not of those
 * below; below a `to` it sees all steps. Read after the destinations, whose names it needs.
 */
export function rejectsField(
  flow: string,
  events: EventSource,
  steps: StepNames,
  results: DestinationNames,
): Field<readonly RejectModel[]> {
  return {
    kind: "block",
    about: "Refuses events where it is written: between the steps, or after a `to`.",
    required: false,
    type: "blocks",
    fields: rejectFields,
    read(body, name, _owner, context) {
      return findBlocks(body, name, Infinity, context).map((found): RejectModel => {
        const place = body.blocks.indexOf(found);
        const [above, below] = [body.blocks.slice(0, place), body.blocks.slice(place)];
        const destinations = namesOf("to", above);
        const delivered = destinations.length;
        // A `to` under a wrong name has been reported; it may have been meant to come before.
        const isLate = delivered > 0 || context.misspelled?.has("to") === true;
        const variables = isLate ? [...context.variables, ...DELIVERED] : context.variables;
        const inner = { ...context, variables, subject: `${context.subject}, ${name}` };
        // A step may have the name of one in `accept`, which runs earlier.
        const early = body.blocks.flatMap(({ type, body }) =>
          type === "accept" ? namesOf("step", body.blocks) : []
        );
        const later = namesOf("step", below).filter((step) => !early.includes(step));
        const unseen = namesOf("to", below).filter((name) => !destinations.includes(name));
        const read = () => readFields(found.body, rejectFields, found.headerSpan, inner);
        const values = steps.without(isLate ? [] : later, () => results.without(unseen, read));
        if (delivered > 0) checkGate(found, events, inner);
        checkStatus(values, events, inner);
        checkSettlement(values, events, inner);
        const { when, code, status, on_reject: onReject } = values;
        const after = namesOf("step", above).length;
        const message = values.message ?? `flow "${flow}" rejected the event`;
        return { after, delivered, when, code, status, message, onReject };
      });
    },
  };
}

/** The labels of blocks of one type; "" for one that has none. */
function namesOf(wanted: "step" | "to", blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap(({ type, labels }) => type === wanted ? [labels[0]?.text ?? ""] : []);
}

/** The destinations of a gate run when the client is in: it is too late to refuse it. */
function checkGate(
  { headerSpan }: Block,
  { source, operation }: EventSource,
  { subject, report }: ReadContext,
): void {
  if (source === undefined || source === "schedule" || operation === undefined) return;
  if (source.definition.source?.gates?.includes(operation) !== true) return;
  report({
    code: "invalid-rejection",
    span: headerSpan,
    message:
      `${subject} comes too late: the client is in when the destinations of "${operation}" run`,
    hint: "write it above the first to",
  });
}

/** Whether the sender gets an HTTP response. */
function checkStatus(
  values: Values<typeof rejectFields>,
  events: EventSource,
  { subject, report }: ReadContext,
): void {
  const places = placesOf(values);
  const reason = places.has("status") ? whyNoStatus(events) : undefined;
  if (reason === undefined) return;
  const message = `${subject} takes no status: ${reason}`;
  report({ code: "unused-attribute", span: places.of("status"), message });
}

/** Whether the flow's source can do what a refusal asks for. */
export function checkSettlement(
  values: { readonly on_reject: Settlement },
  { source, operation }: EventSource,
  { subject, report }: ReadContext,
): void {
  const settlement = values.on_reject;
  if (source === undefined || settlement === "reject") return;
  const refuse = (message: string, hint?: string) => {
    const span = placesOf(values).of("on_reject");
    report({ code: "invalid-rejection", span, message: `${subject} ${message}`, hint });
  };
  if (source === "schedule") {
    return refuse("has no sender to answer: the event of a schedule is ignored");
  }
  const { kind, gates = [] } = source.definition.source ?? {};
  if (settlement === "requeue" && kind !== "messages") {
    const message = `cannot requeue: connector "${source.name}" (${source.type}) has no messages`;
    const hint = "only messages of a broker can be redelivered";
    refuse(message, hint);
  } else if (operation !== undefined && gates.includes(operation)) {
    refuse(`must be "reject": a refused "${operation}" cannot count as handled`);
  }
}
