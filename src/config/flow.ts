/** One `flow` block → its model. */
import type { Destination } from "../connector.ts";
import type {
  ConnectorModel,
  DestinationModel,
  FlowModel,
  ScheduleModel,
  SourceModel,
} from "../model.ts";
import { didYouMean } from "../nearest.ts";
import { parseSchedule } from "../schedule.ts";
import { expression, expressions, target } from "../expression-fields.ts";
import {
  attribute,
  block,
  type Field,
  type Fields,
  findBlocks,
  type ReadContext,
  readFields,
  type Values,
} from "../schema.ts";
import { text } from "../values.ts";
import { complain, type Loading } from "./loading.ts";
import type { Block, Body } from "./tree.ts";

/** The attributes of a `from` block. */
export const fromFields = {
  connector: attribute(text(), { about: "Where the events come from.", required: true }),
  operation: attribute(text(), {
    about: "Which of the connector's events; all of them where it is left out.",
  }),
  filter: expression({ about: "False: the event is not for this flow." }),
} satisfies Fields;

/** The attributes of every `to` block; the connector adds its own. */
export const toFields = {
  connector: attribute(text(), { about: "Where the payload goes.", required: true }),
  operation: attribute(text(), { about: "What the connector does with it." }),
  target: target({ about: "The table, room, user or routing key." }),
  when: expression({ about: "False: this destination is left out." }),
} satisfies Fields;

/** The attributes and blocks of a flow, `to` left out: the connectors say what stands there. */
export const flowFields = {
  from: block(fromFields, { about: "The source." }),
  when: attribute(text(), {
    about: 'Without `from`: "@every 5s", or a cron pattern in the time zone of the process.',
  }),
  transform: expressions({
    about: "What the destinations get, line by line; without it the payload as it came.",
    variables: ["output"],
  }),
  response: expressions({
    about: "What the sender is answered.",
    variables: ["output", "outputs"],
  }),
} satisfies Fields;

/** Reads a flow; undefined where it has problems, which have been reported. */
export function readFlow(name: string, found: Block, loading: Loading): FlowModel | undefined {
  const subject = `flow "${name}"`;
  const { env, report } = loading;
  const clients = sourceHasClients(found.body, loading);
  const variables = ["input", "constants", ...(clients ? ["client"] : [])];
  const context: ReadContext = { subject, variables, env, report };
  const to = destinationsField(loading);
  const values = readFields(found.body, { ...flowFields, to }, found.headerSpan, context);
  const source = readSource(values, found, subject, loading);
  return source && {
    name,
    source,
    transform: values.transform,
    to: values.to,
    response: values.response,
  };
}

/** Whether expressions of a flow may use `client`: yes, too, where nobody knows the source. */
function sourceHasClients(body: Body, { connectors, mayExist }: Loading): boolean {
  const from = body.blocks.find((b) => b.type === "from");
  const name = from && connectorName(from.body);
  if (name === undefined) return from !== undefined;
  const model = connectors.get(name);
  return model === undefined ? mayExist(name) : model.definition.source?.clients === true;
}

function readSource(
  { from, when }: Values<typeof flowFields>,
  found: Block,
  subject: string,
  loading: Loading,
): SourceModel | ScheduleModel | undefined {
  const { report } = loading;
  const whenAttribute = found.body.attributes.find((a) => a.name === "when");
  if (from !== undefined && whenAttribute !== undefined) {
    report(whenAttribute.nameSpan, `${subject} has both "from" and "when"`, "keep one of them");
    return undefined;
  }
  if (when !== undefined) {
    const schedule = parseSchedule(when);
    if ("message" in schedule) complain(found, subject, [schedule], report);
    else return { kind: "schedule", when: schedule };
    return undefined;
  }
  if (from === undefined) {
    const unreadable = found.body.blocks.some((b) => b.type === "from") || whenAttribute;
    if (!unreadable) {
      report(found.headerSpan, `${subject} needs a block "from"`, 'or when = "@every 5s"');
    }
    return undefined;
  }
  const fromBlock = found.body.blocks.find((b) => b.type === "from") ?? found;
  const model = findConnector(fromBlock, subject, loading);
  if (model !== undefined) {
    const { definition, options, type } = model;
    const named = `connector "${from.connector}" (${type})`;
    if (definition.source === undefined) {
      complain(fromBlock, named, [{ attribute: "connector", message: "is no source" }], report);
    } else {
      complain(fromBlock, named, definition.source.check?.(from.operation, options) ?? [], report);
    }
  }
  const { connector, operation, filter } = from;
  return { kind: "connector", connector, operation, filter };
}

/** `to` blocks: what all have, and what their connector's type adds. */
function destinationsField(loading: Loading): Field<readonly DestinationModel[]> {
  return {
    kind: "block",
    about: "A destination; several run in the order written.",
    type: "blocks",
    required: false,
    fields: toFields,
    read: (body, name, _owner, context) =>
      findBlocks(body, name, Infinity, context).map((b) => readDestination(b, context, loading)),
  };
}

function readDestination(
  found: Block,
  context: ReadContext,
  loading: Loading,
): DestinationModel {
  const { report } = context;
  const subject = `${context.subject}, to`;
  const inner = { ...context, subject, variables: [...context.variables, "output"] };
  const model = findConnector(found, subject, loading);
  const destination = model?.definition.destination;
  const own = destination?.fields ?? {};
  // Nobody knows what an unknown connector would have taken.
  const body = model === undefined ? onlyCommon(found.body) : found.body;
  const values = readFields(body, { ...own, ...toFields }, found.headerSpan, inner);
  const { operation, target, when } = values;
  const options = Object.fromEntries(
    Object.keys(own).map((key) => [key, (values as Record<string, unknown>)[key]]),
  );

  if (model !== undefined) {
    const named = `connector "${values.connector}" (${model.type})`;
    const to: Destination = { operation, target, options };
    if (destination === undefined) {
      complain(found, named, [{ attribute: "connector", message: "is no destination" }], report);
    } else if (
      operation !== undefined && destination.operations !== undefined &&
      !destination.operations.includes(operation)
    ) {
      const hint = didYouMean(operation, destination.operations) ??
        `one of ${destination.operations.join(", ")}`;
      const message = `has no operation "${operation}"`;
      complain(found, named, [{ attribute: "operation", message, hint }], report);
    } else {
      complain(found, subject, destination.check?.(to, model.options) ?? [], report);
    }
  }
  const creates = model !== undefined &&
    destination?.creates?.({ operation, target, options }, model.options) === true;
  return { connector: values.connector, operation, target, when, options, creates };
}

function onlyCommon(body: Body): Body {
  return { ...body, attributes: body.attributes.filter((a) => Object.hasOwn(toFields, a.name)) };
}

/** The connector that a `from` or `to` block names; reports a name that nothing has. */
function findConnector(
  { body }: Block,
  subject: string,
  { connectors, mayExist, report }: Loading,
): ConnectorModel | undefined {
  const name = connectorName(body);
  if (name === undefined) return undefined;
  const model = connectors.get(name);
  if (model !== undefined || mayExist(name)) return model;
  const span = body.attributes.find((a) => a.name === "connector")?.valueSpan ?? body.span;
  report(span, `${subject}: there is no connector "${name}"`, didYouMean(name, connectors.keys()));
  return undefined;
}

/** What `connector = …` says; undefined where it is absent or no text, which is reported elsewhere. */
function connectorName(body: Body): string | undefined {
  const result = text().parse(body.attributes.find((a) => a.name === "connector")?.value);
  return "value" in result ? result.value : undefined;
}
