/** Where a flow's events come from: its `from` block or its `when`. */
import { expression } from "../../contract/expression-fields.ts";
import type { FilterRefusal } from "../../contract/connector.ts";
import { sourceOf } from "../../contract/definition.ts";
import type { Expression } from "../../expression/mod.ts";
import type { ConnectorModel, ScheduleModel, SourceModel } from "../../model/mod.ts";
import { parseSchedule } from "../../model/schedule.ts";
import {
  attribute,
  block,
  type Field,
  type Fields,
  findBlocks,
  readFields,
  required,
  type Values,
} from "../../contract/fields.ts";
import { keepPlaces, Places, placesOf } from "../../contract/places.ts";
import { flag, integer, oneOf, text } from "../../contract/value-schema.ts";
import { type Loading, reportAll } from "../loading.ts";
import type { Block, Span } from "../../hcl/tree.ts";
import { otherWordsOfFrom } from "./other-words.ts";
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
  public: attribute(flag(), {
    about: "Takes requests without a token, too, where the connector's `auth` asks for one.",
    default: false,
  }),
} satisfies Fields;

/** The attributes of a flow that say where its events come from. */
export const sourceFields = {
  from: block(fromFields, {
    about: "The source.",
    twice: "each source has a flow of its own: write a second flow",
    elsewhere: otherWordsOfFrom,
  }),
  when: attribute(text(), {
    about: 'Without `from`: "@every 5s", or a cron pattern in the time zone of the process.',
  }),
} satisfies Fields;

/** The source of a flow, as far as the fields of the flow depend on it. */
export interface Origin {
  /** Undefined if it is not known, which is reported elsewhere. */
  readonly source: ConnectorModel | "schedule" | undefined;
  /** The `operation` of the `from` block. */
  readonly operation: string | undefined;
  /** Whether expressions can use `client`; true if the source is not known. */
  readonly hasClient: boolean;
  /** Whether a connection of a client can be behind the events; true if the source is not known. */
  readonly hasConnections: boolean;
  /** The names that expressions can read of `match`; undefined if some are not known. */
  readonly matchNames: readonly string[] | undefined;
}

/** Looks at the source of a flow before the fields of the flow are read. */
export function originOf({ body, headerSpan }: Block, loading: Loading): Origin {
  const flow = new Places(body, headerSpan);
  const scheduled = flow.has("when");
  const from = flow.block("from");
  if (from === undefined) {
    const source = scheduled ? "schedule" : undefined;
    return {
      source,
      operation: undefined,
      hasClient: !scheduled,
      hasConnections: !scheduled,
      matchNames: scheduled ? [] : undefined,
    };
  }
  const places = new Places(from.body, from.headerSpan);
  const connector = loading.connectors.get(connectorName(places) ?? "");
  const written = places.attribute("operation")?.value;
  const operation = typeof written === "string" ? written : undefined;
  const { source } = connector?.definition ?? {};
  const hasConnections = connector === undefined || source?.kind === "clients";
  return {
    source: scheduled ? "schedule" : connector,
    operation,
    hasClient: hasConnections || source?.hasClient === true,
    hasConnections,
    matchNames: connector === undefined || loading.unsound.has(connector.name)
      ? undefined
      : source?.matchNames?.(operation, connector.options) ?? [],
  };
}

/** Reads the source; undefined where it has problems, which have been reported. */
export function readSource(
  values: Values<typeof sourceFields>,
  subject: string,
  loading: Loading,
): SourceModel | ScheduleModel | undefined {
  const { report } = loading;
  const { from, when } = values;
  const places = placesOf(values);
  if (from !== undefined && places.has("when")) {
    const message = `${subject} has both "from" and "when"`;
    const hint = "keep one of them";
    report({ code: "conflicting-attributes", span: places.nameOf("when"), message, hint });
    return undefined;
  }
  if (when !== undefined) {
    const schedule = parseSchedule(when);
    if ("message" in schedule) reportAll([schedule], places, subject, report);
    else return { kind: "schedule", when: schedule };
    return undefined;
  }
  if (from === undefined) {
    const unreadable = places.block("from") !== undefined ||
      (["from", "when"] as const).some((name) => places.has(name) || places.misspelled.has(name));
    if (!unreadable) {
      const message = `${subject} needs a block "from"`;
      const hint = 'or when = "@every 5s"';
      report({ code: "missing-source", span: places.header, message, hint });
    }
    return undefined;
  }
  checkSource(from, subject, loading);
  const { connector, operation, filter, public: isPublic } = from;
  const { condition, filterRefusal } = filter ?? {};
  const model: SourceModel = {
    kind: "connector",
    connector,
    operation,
    filter: condition,
    filterRefusal,
    public: isPublic,
  };
  keepPlaces(model, placesOf(from));
  return model;
}

function checkSource(
  from: Values<typeof fromFields>,
  subject: string,
  loading: Loading,
): void {
  const { report } = loading;
  const { connector, operation, filter, public: isPublic } = from;
  const places = placesOf(from);
  const model = findConnector(places, subject, loading);
  if (model === undefined) return;
  const { definition, options, type } = model;
  const source = sourceOf(definition, options);
  const named = `connector "${connector}" (${type})`;
  if (source === undefined) {
    const message = `${named} cannot be a source`;
    const hint = definition.source?.unable?.(options);
    return report({ code: "not-a-source", span: places.of("connector"), message, hint });
  }
  const unread = places.misspelled.has("operation") ||
    (operation === undefined && places.has("operation"));
  if (!unread) reportAll(source.check?.(operation, options) ?? [], places, named, report);
  if (isPublic && source.needsToken?.(options) !== true) {
    const isRest = source.kind === "requests";
    const message = isRest
      ? `${named} asks for no token, so that public changes nothing`
      : `${named} has no routes that could be public`;
    const hint = isRest
      ? "it goes with an auth block that has required = true"
      : "those of a rest connector can";
    report({ code: "unused-attribute", span: places.of("public"), message, hint });
  }
  if (filter?.settlement !== undefined && source.kind !== "messages") {
    const message = `${named} has no messages that could be acked or rejected`;
    const hint = "only the messages of a broker can";
    report({ code: "invalid-rejection", span: filter.settlement, message, hint });
  }
}

/** What a filter says. */
interface Filter {
  readonly condition: Expression | undefined;
  readonly filterRefusal: FilterRefusal | undefined;
  /** The place of `on_reject`; undefined if the block has none. */
  readonly settlement: Span | undefined;
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
      if (found === undefined) {
        return { condition, filterRefusal: undefined, settlement: undefined };
      }
      if (new Places(body, owner).attribute(name) !== undefined) {
        const message = `${context.subject} has its filter twice: as an attribute and as a block`;
        const hint = "keep one of them";
        context.report({ code: "conflicting-attributes", span: found.typeSpan, message, hint });
      }
      const inner = { ...context, subject: `${context.subject}, filter` };
      const values = readFields(found.body, filterFields, found.headerSpan, inner);
      const places = placesOf(values);
      const { on_reject: settlement, max_requeue: maxRequeue } = values;
      if (places.has("max_requeue") && settlement !== "requeue") {
        const message = `${inner.subject} takes no max_requeue`;
        const hint = 'it goes with on_reject = "requeue"';
        const span = places.of("max_requeue");
        context.report({ code: "unused-attribute", span, message, hint });
      }
      return {
        condition: values.condition,
        filterRefusal: { settlement, maxRequeue },
        settlement: places.has("on_reject") ? places.of("on_reject") : undefined,
      };
    },
  };
}
