/** The blocks by which a flow refuses or leaves out events: `accept`, `validate` and `dedupe`. */
import { expression } from "../../contract/expression-fields.ts";
import type { AcceptModel, DedupeModel, FlowModel } from "../../model/mod.ts";
import {
  attribute,
  type Field,
  type Fields,
  findBlocks,
  readFields,
  required,
  type Values,
} from "../../contract/fields.ts";
import type { StepNames } from "../../contract/step-fields.ts";
import { duration, integer, oneOf, text } from "../../contract/value-schema.ts";
import { placesOf } from "../../contract/places.ts";
import { findNamed, type Loading } from "../loading.ts";
import type { EventSource } from "./answers.ts";
import { checkSettlement } from "./reject.ts";
import { SETTLEMENTS } from "./source.ts";
import { stepsField } from "./request.ts";

/** The attributes of an `accept` block. */
export const acceptFields = {
  when: required(expression({ about: "False: the event is refused." })),
  on_reject: attribute(oneOf(SETTLEMENTS), {
    about:
      "What happens to a refused event: `reject` is an error for the sender, `ack` counts as handled, `requeue` has a message redelivered.",
    default: "reject",
  }),
} satisfies Fields;

/** The attributes of a `validate` block. */
export const validateFields = {
  input: attribute(text(), { about: "The type of what comes in." }),
  output: attribute(text(), { about: "The type of what goes to the destinations." }),
} satisfies Fields;

/** The attributes of a `dedupe` block. */
export const dedupeFields = {
  key: required(
    expression({ about: "What two events have alike that are one.", variables: ["output"] }),
  ),
  ttl: required(attribute(duration({ max: Number.MAX_SAFE_INTEGER }), {
    about: "How long a key is known.",
  })),
  max_keys: attribute(integer({ min: 1 }), {
    about: "How many keys are kept in memory; the oldest go first.",
    default: 100_000,
  }),
  store: attribute(text(), {
    about: "A database connector that keeps the keys, where they must survive a restart.",
  }),
} satisfies Fields;

/** The `accept` block, whose steps may look something up first. */
export function acceptField(
  events: EventSource,
  names: StepNames,
  loading: Loading,
): Field<AcceptModel | undefined> {
  const step = stepsField(names, loading);
  return {
    kind: "block",
    about: "Refuses events, and on `connect` and `join_room` connections and members.",
    required: false,
    type: "block",
    fields: { ...acceptFields, step },
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const inner = { ...context, subject: `${context.subject}, ${name}` };
      // The steps come first: `when` may use what they have found.
      const values = readFields(found.body, { step, ...acceptFields }, found.headerSpan, inner);
      checkSettlement(values, events, inner);
      return { steps: values.step, when: values.when, onReject: values.on_reject };
    },
  };
}

/** The `validate` block. */
export function validateField(loading: Loading): Field<FlowModel["validate"]> {
  return {
    kind: "block",
    about: "The types of what comes in and of what goes on.",
    required: false,
    type: "block",
    fields: validateFields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return {};
      const subject = `${context.subject}, ${name}`;
      const values = readFields(found.body, validateFields, found.headerSpan, {
        ...context,
        subject,
      });
      const places = placesOf(values);
      if (places.isEmpty) {
        const message = `${subject} says nothing`;
        const hint = "add an input or an output";
        context.report({ code: "empty-block", span: places.header, message, hint });
      }
      const find = (attribute: "input" | "output") => {
        const type = values[attribute];
        if (type === undefined) return undefined;
        const place = { span: places.of(attribute), subject: `${subject}: ${attribute}` };
        return findNamed("type", type, loading.dataTypes, place, loading);
      };
      return { input: find("input"), output: find("output") };
    },
  };
}

/** The `dedupe` block. */
export function dedupeField(loading: Loading): Field<DedupeModel | undefined> {
  return {
    kind: "block",
    about: "Answers what has been handled before as it was answered then, and does nothing else.",
    required: false,
    type: "block",
    fields: dedupeFields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const subject = `${context.subject}, ${name}`;
      const inner = { ...context, subject };
      const values = readFields(found.body, dedupeFields, found.headerSpan, inner);
      checkStore(values, subject, loading);
      const { key, ttl, max_keys: maxKeys, store } = values;
      return { key, ttl, maxKeys, store };
    },
  };
}

function checkStore(
  values: Values<typeof dedupeFields>,
  subject: string,
  loading: Loading,
): void {
  const { report } = loading;
  const { store } = values;
  if (store === undefined) return;
  const places = placesOf(values);
  const span = places.of("store");
  const connector = findNamed("connector", store, loading.connectors, { span, subject }, loading);
  if (connector !== undefined && connector.definition.keeps !== true) {
    const message = `${subject}: the connector "${store}" (${connector.type}) keeps no keys`;
    const hint = "name a database, or leave store out";
    report({ code: "not-a-store", span, message, hint });
  }
  if (places.has("max_keys")) {
    const message = `${subject} takes no max_keys beside a store`;
    const hint = "it bounds the keys in memory";
    report({ code: "unused-attribute", span: places.nameOf("max_keys"), message, hint });
  }
}
