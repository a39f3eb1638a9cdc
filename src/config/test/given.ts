/** `given` blocks: a client's frame, a broker's message, a request. */
import type { ConnectorModel } from "../../model/mod.ts";
import {
  attribute,
  type Field,
  type Fields,
  type ReadContext,
  readFields,
  required,
  type Values,
} from "../../contract/fields.ts";
import type { GivenStep } from "../../model/test.ts";
import { text } from "../../contract/value-schema.ts";
import { placesOf } from "../../contract/places.ts";
import { sourceOf } from "../../contract/definition.ts";
import { reportAll } from "../loading.ts";
import type { Block } from "../../hcl/tree.ts";
import {
  address,
  labelled,
  lowerCase,
  object,
  type Placed,
  placeOf,
  refuse,
  textMap,
  within,
} from "./block.ts";
import { type Cast, hasClients, refuseIdentity } from "./client.ts";
import { frameFields, readFrame } from "./frame.ts";
import { identityFields, identityOf } from "./identity.ts";

/** What any other source has. */
const eventFields = {
  operation: required(attribute(text(), { about: "Which event it is." })),
  data: frameFields.data,
} satisfies Fields;

/** What a broker has. */
const messageFields = {
  ...eventFields,
  headers: attribute(object(), { about: "Headers of a message or a request." }),
} satisfies Fields;

/** What a database has. */
const changeFields = {
  ...eventFields,
  old: attribute(object(), { about: "What is known of the row as it was before a change." }),
} satisfies Fields;

/** What an HTTP caller sends. */
const requestFields = {
  operation: required(attribute(text(), { about: "METHOD /path?query." })),
  data: frameFields.data,
  text: frameFields.text,
  headers: attribute(textMap(), { about: "Headers of the request." }),
  ...identityFields,
  remote_addr: attribute(address(), { about: "The address that the request comes from." }),
} satisfies Fields;

/** Of every kind of subject; which of them a block may have depends on its subject. */
export const givenFields: Fields = {
  ...requestFields,
  ...messageFields,
  ...changeFields,
  ...frameFields,
};

/** The `given` blocks. */
export function givenField(cast: Cast): Field<readonly Placed<GivenStep>[]> {
  return {
    kind: "block",
    about: "Something happens: the client or connector that its label names has an event.",
    type: "blocks",
    required: false,
    fields: givenFields,
    read: (body, kind, _owner, context) =>
      labelled(body, kind, context).flatMap(([name, block]) => {
        const inner = within(context, kind, name);
        const subject = cast.subject(name, block, inner);
        const value = subject === undefined
          ? readUnknown(block, inner)
          : "client" in subject
          ? readFrame(subject, block, inner)
          : readEvent(subject.connector, block, inner);
        return value === undefined ? [] : [{ block, value }];
      }),
  };
}

/** Its attributes are not known, but their values can be checked. */
function readUnknown(block: Block, context: ReadContext): undefined {
  const optional = { ...givenFields, operation: frameFields.operation };
  readFields(block.body, optional, block.headerSpan, context);
}

function readEvent(
  connector: ConnectorModel,
  block: Block,
  context: ReadContext,
): GivenStep | undefined {
  const { name, type, definition, options } = connector;
  const source = sourceOf(definition, options);
  const named = `${context.subject}: connector "${name}" (${type})`;
  if (source === undefined || hasClients(connector)) {
    const hint = source === undefined
      ? definition.source?.unable?.(options)
      : 'use the events of a client: client "alice" { … }';
    const reason = source === undefined ? "cannot be a source" : "has only events of clients";
    const message = `${named} ${reason}`;
    context.report({ code: "not-a-source", span: block.labels[0].span, message, hint });
    return readUnknown(block, context);
  }
  const step = { subject: name, place: placeOf(block) };
  if (source.kind === "requests") return readRequest(step, connector, block, context);
  const fields: Fields = source.given !== undefined
    ? changeFields
    : source.kind === "messages"
    ? messageFields
    : eventFields;
  const values = readFields(block.body, fields, block.headerSpan, context);
  // Fields that it does not have have no value.
  const { operation, data = null, headers = {}, old = null } = values as
    & Values<typeof messageFields>
    & Partial<Values<typeof changeFields>>;
  if (source.given !== undefined && operation !== undefined) {
    const problems = source.given.check(operation, connector.options);
    reportAll(problems, placesOf(values), named, context.report);
  }
  return { ...step, kind: "event", operation, data, headers, old };
}

function readRequest(
  step: Pick<GivenStep, "subject" | "place">,
  connector: ConnectorModel,
  block: Block,
  context: ReadContext,
): GivenStep | undefined {
  const values = readFields(block.body, requestFields, block.headerSpan, context);
  if (placesOf(values).has("text")) {
    const message = "takes no data beside text";
    const hint = "text is the whole body";
    refuse(values, "data", { code: "unused-attribute", message, hint }, context);
  }
  if (connector.definition.source?.verifies?.(connector.options) !== true) {
    refuseIdentity(values, Object.keys(identityFields), connector, context);
  }
  // What is missing has been reported.
  if (values.operation === undefined) return undefined;
  const [, method, path] = /^([A-Z]+)\s+(\/\S*)$/.exec(values.operation) ?? [];
  if (method === undefined) {
    const message = `${context.subject}: "${values.operation}" is not a request`;
    const hint = 'write it as "METHOD /path", such as "GET /orders?limit=5"';
    const span = placesOf(values).of("operation");
    context.report({ code: "invalid-operation", span, message, hint });
    return undefined;
  }
  const body = values.data === undefined ? values.text : JSON.stringify(values.data);
  return {
    ...step,
    kind: "request",
    method,
    path,
    headers: lowerCase(values.headers),
    body,
    identity: identityOf(values),
    remoteAddress: values.remote_addr,
  };
}
