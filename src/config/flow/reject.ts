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
import type { ConnectorModel, RejectModel } from "../../model/mod.ts";
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

/** Where the events of a flow come from. */
export interface EventSource {
  /** Undefined if it is not known. */
  readonly source: ConnectorModel | "schedule" | undefined;
  /** The `operation` of the `from` block. */
  readonly operation: string | undefined;
}

/** The `reject` blocks. Each one sees the results of the steps above it, not of those below. */
export function rejectsField(
  flow: string,
  events: EventSource,
  names: StepNames,
): Field<readonly RejectModel[]> {
  return {
    kind: "block",
    about: "Refuses events between the steps, in the order written.",
    required: false,
    type: "blocks",
    fields: rejectFields,
    read(body, name, _owner, context) {
      return findBlocks(body, name, Infinity, context).map((found): RejectModel => {
        const inner = { ...context, subject: `${context.subject}, ${name}` };
        const place = body.blocks.indexOf(found);
        // A step may have the name of one in `accept`, which runs earlier.
        const early = body.blocks.flatMap(({ type, body }) =>
          type === "accept" ? stepNames(body.blocks) : []
        );
        const later = stepNames(body.blocks.slice(place)).filter((step) => !early.includes(step));
        const values = names.without(
          later,
          () => readFields(found.body, rejectFields, found.headerSpan, inner),
        );
        checkStatus(values, events, inner);
        checkSettlement(values, events, inner);
        const { when, code, status, on_reject: onReject } = values;
        const after = stepNames(body.blocks.slice(0, place)).length;
        const message = values.message ?? `flow "${flow}" rejected the event`;
        return { after, when, code, status, message, onReject };
      });
    },
  };
}

function stepNames(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap(({ type, labels }) => type === "step" ? [labels[0]?.text ?? ""] : []);
}

/** Whether the sender gets an HTTP response. */
function checkStatus(
  values: Values<typeof rejectFields>,
  { source, operation }: EventSource,
  { subject, report }: ReadContext,
): void {
  const places = placesOf(values);
  if (source === undefined || !places.has("status")) return;
  const { kind, handshake } = (source === "schedule" ? undefined : source.definition.source) ?? {};
  if (kind === "requests") return;
  if (handshake !== undefined && (operation ?? handshake) === handshake) return;
  const reason = kind === "clients" ? "a client is answered by a frame" : "nobody is answered";
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
