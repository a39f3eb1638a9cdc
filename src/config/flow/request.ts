/** Blocks that ask a connector for something: what `to`, `step` and `fallback` have in common. */
import { didYouMean } from "../../base/nearest.ts";
import type { Destination, DestinationType } from "../../contract/definition.ts";
import {
  type Field,
  type Fields,
  nameBlocks,
  type ReadContext,
  readFields,
  type Values,
} from "../../contract/fields.ts";
import { Places, placesOf, strangersOf } from "../../contract/places.ts";
import { type requestFields, stepFields, type StepNames } from "../../contract/step-fields.ts";
import { text } from "../../contract/value-schema.ts";
import type { Expression } from "../../expression/mod.ts";
import { type Block, type Body, hasFailed, type Report, type Span } from "../../hcl/tree.ts";
import type { ConnectorModel, RequestModel, StepModel } from "../../model/mod.ts";
import { otherWordsOfRequest } from "./other-words.ts";
import { findNamed, type Loading, reportAll } from "../loading.ts";

/** What such a block says. */
export interface ReadRequest<F extends Fields> {
  readonly values: Values<F>;
  readonly request: RequestModel;
  /** Whether it makes something new. */
  readonly creates: boolean;
  readonly places: Places;
}

/** Reads a block by its own fields and those of its connector; reports what is wrong with it. */
export function readRequest<F extends typeof requestFields & Fields>(
  found: Block,
  fields: F,
  role: "destination" | "step",
  context: ReadContext,
  loading: Loading,
): ReadRequest<F> {
  const { subject } = context;
  const places = new Places(found.body, found.headerSpan);
  const model = findConnector(places, subject, loading);
  const definition = definitionOf(model, role);
  const added = Object.keys(definition?.fields ?? {}).filter((key) => !Object.hasOwn(fields, key));
  // What an unknown connector accepts is not known.
  const body = model === undefined ? withoutOthers(found.body, fields) : found.body;
  const all = { ...definition?.fields, ...fields };
  const read = readSoundly(body, all, found.headerSpan, context);
  const values = read.values as Values<F>;
  const { connector, operation, target, when } = values as Values<typeof requestFields>;
  const options = Object.fromEntries(
    added.map((key) => [key, (values as Record<string, unknown>)[key]]),
  );
  const { params } = values as { readonly params?: Readonly<Record<string, Expression>> };
  const { fromClient = context.variables.includes("client"), sent } = context;
  const given = { ...(params && { params }), ...(sent && { sent }) };
  const asked: Destination = { operation, target, options, fromClient, ...given };
  if (model !== undefined) {
    const { report } = loading;
    checkRequest(places, asked, { model, definition, role, subject, sound: read.sound, report });
  }
  const creates = model !== undefined && definition?.creates?.(asked, model.options) === true;
  return { values, request: { connector, operation, target, when, options }, creates, places };
}

/** The connector that a block names; reports a name that nothing has. */
export function findConnector(
  places: Places<"connector">,
  subject: string,
  loading: Loading,
): ConnectorModel | undefined {
  const name = connectorName(places);
  if (name === undefined) return undefined;
  const place = { span: places.of("connector"), subject };
  return findNamed("connector", name, loading.connectors, place, loading);
}

/** What `connector = …` says; undefined where it is absent or no text, which is reported elsewhere. */
export function connectorName(places: Places<"connector">): string | undefined {
  const result = text().parse(places.attribute("connector")?.value);
  return "value" in result ? result.value : undefined;
}

function definitionOf(
  model: ConnectorModel | undefined,
  role: "destination" | "step",
): DestinationType | undefined {
  const definition = model?.definition;
  return role === "step" ? definition?.step ?? definition?.destination : definition?.destination;
}

function checkRequest(
  places: Places,
  asked: Destination,
  { model, definition, role, subject, sound, report }: {
    readonly model: ConnectorModel;
    readonly definition: DestinationType | undefined;
    readonly role: "destination" | "step";
    readonly subject: string;
    readonly sound: boolean;
    readonly report: Report;
  },
): void {
  const named = `connector "${model.name}" (${model.type})`;
  const { operation } = asked;
  const { operations } = definition ?? {};
  if (definition === undefined) {
    const reason = role === "step" ? "cannot be used in a step" : "cannot be a destination";
    const span = places.of("connector");
    report({ code: "not-a-destination", span, message: `${named} ${reason}` });
  } else if (
    operation !== undefined && operations !== undefined && !operations.includes(operation)
  ) {
    const hint = didYouMean(operation, operations) ??
      (operations.length === 0 ? "leave it out" : `one of ${operations.join(", ")}`);
    const message = `${named} has no operation "${operation}"`;
    report({ code: "unknown-operation", span: places.of("operation"), message, hint });
  } else if (sound) {
    reportAll(definition.check?.(asked, model.options) ?? [], places, subject, report);
  }
}

function withoutOthers(body: Body, fields: Fields): Body {
  return {
    ...body,
    attributes: body.attributes.filter((a) => Object.hasOwn(fields, a.name)),
    blocks: body.blocks.filter((b) => Object.hasOwn(fields, b.type)),
  };
}

/**
 * As `readFields`. `sound` is false where the values lack something that the block has: then what
 * they lack has been reported, and need not be missed once more.
 */
export function readSoundly<F extends Fields>(
  body: Body,
  fields: F,
  owner: Span,
  context: ReadContext,
): { readonly values: Values<F>; readonly sound: boolean } {
  const strange = new Set(strangersOf(body, fields).map(({ span }) => span));
  const others = otherWordsOfRequest(body, Object.keys(fields));
  let sound = !hasFailed(body) && others.size === 0;
  const values = readFields(body, fields, owner, {
    ...context,
    report(problem) {
      if (problem.severity !== "warning" && !strange.has(problem.span)) sound = false;
      context.report(problem);
    },
  }, others);
  return { values, sound: sound && placesOf(values).misspelled.size === 0 };
}

/** The `step` blocks. Each one sees the results of the steps before it. */
export function stepsField(names: StepNames, loading: Loading): Field<readonly StepModel[]> {
  return {
    kind: "block",
    about: "Asks a connector; its result is `step.NAME`. Steps run in the order written.",
    type: "blocks",
    required: false,
    fields: stepFields,
    read(body, kind, _owner, context) {
      const { subject, report } = context;
      const blocks = body.blocks.filter((b) => b.type === kind);
      return nameBlocks(blocks, kind, `${subject}: `, report).map(([name, block]) => {
        const inner = { ...context, subject: `${subject}, step "${name}"` };
        const { values, request, places } = readRequest(block, stepFields, "step", inner, loading);
        const { params, timeout, on_error: onError } = values;
        const asked = { ...request, params };
        loading.onRequest?.({ kind: "step", subject: inner.subject, request: asked, places });
        names.add(name);
        return { ...request, name, params, timeout, onError, default: values.default ?? null };
      });
    },
  };
}
