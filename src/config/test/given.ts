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
import type { GivenStep, TestIdentity } from "../../model/test.ts";
import { flag, text } from "../../contract/value-schema.ts";
import { placesOf } from "../../contract/places.ts";
import type { Block } from "../../hcl/tree.ts";
import {
  address,
  anything,
  frameId,
  labelled,
  lowerCase,
  object,
  type Placed,
  placeOf,
  refuse,
  textMap,
  within,
} from "./block.ts";
import { type Cast, hasClients, refuseIdentity, type Subject } from "./client.ts";

const data = attribute(anything(), { about: "What is sent." });

/** Who a token is for. */
const identityFields = {
  user_id: attribute(text(), {
    about: "The user of the token, in a request or in a frame `auth`.",
  }),
  claims: attribute(object(), { about: "What the token says." }),
} satisfies Fields;

/** What a client does. */
const frameFields = {
  operation: attribute(text(), {
    about: "A frame's type, a routing key, or `METHOD /path?query`. A client may also " +
      "`connect` and `disconnect`.",
    default: "message",
  }),
  data,
  room: attribute(text(), { about: "A frame's room." }),
  id: attribute(frameId(), { about: "A frame's id, which asks for an answer." }),
  message_id: attribute(text(), { about: "A frame's `message_id`." }),
  text: attribute(text(), { about: "A whole frame or body as text, which may be malformed." }),
  reads: attribute(flag(), {
    about: "Instead of a frame: whether the client reads from now on.",
  }),
  ...identityFields,
} satisfies Fields;

/** What any other source has. */
const eventFields = {
  operation: required(attribute(text(), { about: "Which event it is." })),
  data,
} satisfies Fields;

/** What a broker has. */
const messageFields = {
  ...eventFields,
  headers: attribute(object(), { about: "Headers of a message or a request." }),
} satisfies Fields;

/** What an HTTP caller sends. */
const requestFields = {
  operation: required(attribute(text(), { about: "METHOD /path?query." })),
  data,
  text: frameFields.text,
  headers: attribute(textMap(), { about: "Headers of the request." }),
  ...identityFields,
  remote_addr: attribute(address(), { about: "The address that the request comes from." }),
} satisfies Fields;

/** Of every kind of subject; which of them a block may have depends on its subject. */
export const givenFields: Fields = { ...requestFields, ...messageFields, ...frameFields };

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

function readFrame(
  { client: name, verified }: Extract<Subject, { readonly client: string }>,
  block: Block,
  context: ReadContext,
): GivenStep {
  const values = readFields(block.body, frameFields, block.headerSpan, context);
  const { operation, room, id, message_id } = values;
  const step = { subject: name, place: placeOf(block) };
  if (values.reads !== undefined) {
    for (const other of ["operation", ...FRAME]) {
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
    return { ...step, kind: operation };
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
      text: JSON.stringify({ type: operation, id, data: values.data, room, message_id }),
      renewal: renews ? identityOf(values) : undefined,
    };
  }
  for (const other of ["operation", ...FRAME.filter((name) => name !== "text")]) {
    const message = `takes no ${other} beside text`;
    const hint = "text is the whole frame";
    refuse(values, other, { code: "unused-attribute", message, hint }, context);
  }
  return { ...step, kind: "frame", text: values.text, renewal: undefined };
}

/** The attributes of a frame, beside its type. */
const FRAME = ["data", "room", "id", "message_id", "text", "user_id", "claims"];

function identityOf(
  { user_id: userId, claims }: Pick<Values<typeof requestFields>, "user_id" | "claims">,
): TestIdentity | undefined {
  if (userId === undefined && claims === undefined) return undefined;
  return { userId: userId ?? null, claims: claims ?? null };
}

function readEvent(
  connector: ConnectorModel,
  block: Block,
  context: ReadContext,
): GivenStep | undefined {
  const { name, type, definition: { source } } = connector;
  const named = `${context.subject}: connector "${name}" (${type})`;
  if (source === undefined || hasClients(connector)) {
    const hint = source && 'use the events of a client: client "alice" { … }';
    const reason = source === undefined ? "cannot be a source" : "has only events of clients";
    const message = `${named} ${reason}`;
    context.report({ code: "not-a-source", span: block.labels[0].span, message, hint });
    return readUnknown(block, context);
  }
  const step = { subject: name, place: placeOf(block) };
  if (source.kind === "requests") return readRequest(step, connector, block, context);
  const fields: Fields = source.kind === "messages" ? messageFields : eventFields;
  const values = readFields(block.body, fields, block.headerSpan, context);
  // Fields that it does not have have no value.
  const { operation, data = null, headers = {} } = values as Values<typeof messageFields>;
  return { ...step, kind: "event", operation, data, headers };
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
