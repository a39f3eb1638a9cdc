/** Where a flow's events come from: its `from` block or its `when`. */
import { expression } from "../../contract/expression-fields.ts";
import type { Unwanted } from "../../contract/connector.ts";
import type { Expression } from "../../expression/mod.ts";
import type { ConnectorModel, ScheduleModel, SourceModel } from "../../model/mod.ts";
import { parseSchedule } from "../../model/schedule.ts";
import {
  attribute,
  block,
  type Field,
  type Fields,
  findBlocks,
  type ReadContext,
  readFields,
  required,
  type Values,
} from "../../contract/fields.ts";
import { misspelledOf } from "../../contract/unknown-names.ts";
import { integer, oneOf, text } from "../../contract/value-schema.ts";
import { type Loading, reportAll } from "../loading.ts";
import type { Block, Body } from "../../hcl/tree.ts";
import { connectorName, findConnector } from "./request.ts";

/** What becomes of a broker's message. */
export const SETTLEMENTS = ["ack", "reject", "requeue"] as const;

/** The attributes of a `filter` block. */
export const filterFields = {
  condition: required(expression({ about: "False: the event is not for this flow." })),
  on_reject: attribute(oneOf(SETTLEMENTS), {
    about: "What becomes of a broker's message that no flow takes.",
    default: "ack",
  }),
  max_requeue: attribute(integer({ min: 1 }), {
    about: "With `requeue`: the number of redeliveries before the message is rejected.",
    default: 3,
  }),
} satisfies Fields;

/** The attributes of a `from` block. */
export const fromFields = {
  connector: required(attribute(text(), { about: "Where the events come from." })),
  operation: attribute(text(), {
    about: "Which of the connector's events; all of them where it is left out.",
  }),
  filter: filterField(),
} satisfies Fields;

/** The attributes of a flow that say where its events come from. */
export const sourceFields = {
  from: block(fromFields, { about: "The source." }),
  when: attribute(text(), {
    about: 'Without `from`: "@every 5s", or a cron pattern in the time zone of the process.',
  }),
} satisfies Fields;

/** The connector that the flow's events come from; undefined for schedules and unknown names. */
export function sourceConnector(body: Body, loading: Loading): ConnectorModel | undefined {
  const from = body.blocks.find((b) => b.type === "from");
  const name = from && connectorName(from.body);
  return name === undefined ? undefined : loading.connectors.get(name);
}

/** Whether expressions of a flow may use `client`. True if the source is unknown. */
export function sourceHasClients(body: Body, loading: Loading): boolean {
  const from = body.blocks.find((b) => b.type === "from");
  // A flow without a source has been reported, and so has a connector that is not there.
  if (from === undefined) return !body.attributes.some((a) => a.name === "when");
  const model = sourceConnector(body, loading);
  return model === undefined || model.definition.source?.kind === "clients";
}

/** Reads the source; undefined where it has problems, which have been reported. */
export function readSource(
  { from, when }: Values<typeof sourceFields>,
  found: Block,
  { subject, misspelled }: Pick<ReadContext, "subject" | "misspelled">,
  loading: Loading,
): SourceModel | ScheduleModel | undefined {
  const { report } = loading;
  const whenAttribute = found.body.attributes.find((a) => a.name === "when");
  if (from !== undefined && whenAttribute !== undefined) {
    const message = `${subject} has both "from" and "when"`;
    const hint = "keep one of them";
    report({ code: "conflicting-attributes", span: whenAttribute.nameSpan, message, hint });
    return undefined;
  }
  if (when !== undefined) {
    const schedule = parseSchedule(when);
    if ("message" in schedule) reportAll([schedule], found, subject, report);
    else return { kind: "schedule", when: schedule };
    return undefined;
  }
  if (from === undefined) {
    const unreadable = found.body.blocks.some((b) => b.type === "from") || whenAttribute ||
      Object.keys(sourceFields).some((name) => misspelled?.has(name));
    if (!unreadable) {
      const message = `${subject} needs a block "from"`;
      const hint = 'or when = "@every 5s"';
      report({ code: "missing-source", span: found.headerSpan, message, hint });
    }
    return undefined;
  }
  const fromBlock = found.body.blocks.find((b) => b.type === "from") ?? found;
  checkSource(fromBlock, from, subject, loading);
  const { connector, operation, filter } = from;
  const { condition, unwanted } = filter ?? {};
  return { kind: "connector", connector, operation, filter: condition, unwanted };
}

function checkSource(
  fromBlock: Block,
  { connector, operation, filter }: Values<typeof fromFields>,
  subject: string,
  loading: Loading,
): void {
  const { report } = loading;
  const model = findConnector(fromBlock, subject, loading);
  if (model === undefined) return;
  const { definition: { source }, options, type } = model;
  const named = `connector "${connector}" (${type})`;
  if (source === undefined) {
    const problem = { code: "not-a-source", attribute: "connector", message: "cannot be a source" };
    return reportAll([problem], fromBlock, named, report);
  }
  const unread = misspelledOf(fromBlock.body, fromFields).has("operation") ||
    (operation === undefined && fromBlock.body.attributes.some((a) => a.name === "operation"));
  if (!unread) reportAll(source.check?.(operation, options) ?? [], fromBlock, named, report);
  const filterBlock = fromBlock.body.blocks.find((b) => b.type === "filter");
  if (filterBlock !== undefined && filter?.settles && source.kind !== "messages") {
    const message = `has no messages that could be acked or rejected`;
    const hint = "only the messages of a broker can";
    const problem = { code: "invalid-rejection", attribute: "on_reject", message, hint };
    reportAll([problem], filterBlock, named, report);
  }
}

/** What a filter says. */
interface Filter {
  readonly condition: Expression | undefined;
  readonly unwanted: Unwanted | undefined;
  /** True where the block says what becomes of a message. */
  readonly settles: boolean;
}

/** `filter = "expression"`, or a block. */
function filterField(): Field<Filter | undefined> {
  const plain = expression({ about: "" });
  return {
    kind: "either",
    about: "False: the event is not for this flow. As a block it says what becomes of a message.",
    required: false,
    type: "expression",
    fields: filterFields,
    read(body, name, owner, context) {
      const condition = plain.read(body, name, owner, context);
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return { condition, unwanted: undefined, settles: false };
      if (body.attributes.some((a) => a.name === name)) {
        const message = `${context.subject} has its filter twice: as an attribute and as a block`;
        const hint = "keep one of them";
        context.report({ code: "conflicting-attributes", span: found.typeSpan, message, hint });
      }
      const inner = { ...context, subject: `${context.subject}, filter` };
      const values = readFields(found.body, filterFields, found.headerSpan, inner);
      const given = (attribute: string) => found.body.attributes.some((a) => a.name === attribute);
      const { on_reject: settlement, max_requeue: maxRequeue } = values;
      if (given("max_requeue") && settlement !== "requeue") {
        const problem = {
          code: "unused-attribute",
          attribute: "max_requeue",
          message: "takes no max_requeue",
          hint: 'it goes with on_reject = "requeue"',
        };
        reportAll([problem], found, inner.subject, context.report);
      }
      return {
        condition: values.condition,
        unwanted: { settlement, maxRequeue },
        settles: given("on_reject"),
      };
    },
  };
}
