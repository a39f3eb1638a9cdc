/** One `connector` block → its model. */
import { hasName, nameBlocks, type ReadContext, readFields } from "../contract/fields.ts";
import { Places, placesOf } from "../contract/places.ts";
import { lookupFields, StepNames } from "../contract/step-fields.ts";
import type { Expression } from "../expression/mod.ts";
import { type Block, type Body, positionOf, type SourceProblem, type Span } from "../hcl/tree.ts";
import type { ConnectorModel, LookupModel } from "../model/mod.ts";
import { readRequest } from "./flow/request.ts";
import { hintOfConnectorType } from "./foreign.ts";
import { findNamed, type Loading, reportAll } from "./loading.ts";
import type { PlacedExpression } from "./warnings/flow.ts";

/** A block that was read. */
export interface ReadConnector {
  readonly name: string;
  /** Undefined if its type is unknown. */
  readonly model: ConnectorModel | undefined;
  /** Its look-ups, which wait for all connectors to be known. */
  readonly lookups: LookupReader;
  /** Every expression of it, and the place of its attribute's value. */
  readonly expressions: readonly PlacedExpression[];
  /** True where its options are what its type asks for. */
  readonly sound: boolean;
}

/** What is known of the connector types. */
interface KnownTypes {
  /** True if a plugin that could not be loaded may define more; that has been reported. */
  readonly moreTypes: boolean;
}

/** Reads a connector by the fields of its type; reports what is wrong with it. */
export function readConnector(
  name: string,
  block: Block,
  { types, moreTypes, env, now, randomBytes, constants, dataTypes, declared, report }:
    & Pick<
      Loading,
      | ("types" | "env" | "now" | "randomBytes" | "constants")
      | ("dataTypes" | "declared" | "report")
    >
    & KnownTypes,
): ReadConnector {
  const { headerSpan } = block;
  const lookups = new LookupReader();
  const expressions: PlacedExpression[] = [];
  const type = readType(name, block, { types, moreTypes, report });
  if (type === undefined) {
    return { name, model: undefined, lookups, expressions, sound: false };
  }
  const definition = types[type];
  const subject = `connector "${name}" (${type})`;
  const body = withoutType(block.body);
  let sound = !body.attributes.some((a) => a.failed);
  const context: ReadContext = {
    subject,
    variables: ["constants"],
    env,
    now,
    randomBytes,
    constants,
    lookups: lookups.defer,
    dataType: (type: string, place: { readonly span: Span; readonly subject: string }) =>
      findNamed("type", type, dataTypes, place, { declared, report: context.report }),
    onExpression: (expression: Expression, span: Span) =>
      void expressions.push({ expression, span }),
    report(problem: SourceProblem): void {
      sound = false;
      report(problem);
    },
  };
  const options = readFields(body, definition.fields, headerSpan, context);
  if (sound) reportAll(definition.check?.(options) ?? [], placesOf(options), subject, report);
  const model = { name, type, definition, options, lookups: lookups.found };
  return { name, model, lookups, expressions, sound };
}

/** The addresses that a connector claims. */
export function addressesOf({ definition, options }: ConnectorModel): readonly string[] {
  const claimed = definition.address?.(options) ?? [];
  return typeof claimed === "string" ? [claimed] : claimed;
}

/** Reports connectors that claim one address. */
export function refuseSharedAddresses(
  connectors: readonly ReadConnector[],
  report: Loading["report"],
): void {
  const owners = new Map<string, string>();
  for (const { name, model, sound } of connectors) {
    if (model === undefined || !sound) continue;
    for (const address of addressesOf(model)) {
      const owner = owners.get(address);
      owners.set(address, owner ?? name);
      if (owner === undefined || owner === name) continue;
      const span = placesOf(model.options as object).header;
      const message = `connectors "${owner}" and "${name}" both serve ${address}`;
      report({ code: "duplicate-address", span, message });
    }
  }
}

/** Reports connectors on one port that trust different proxies. */
export function requireOneTrust(
  connectors: readonly ReadConnector[],
  report: Loading["report"],
): void {
  const first = new Map<string, { readonly model: ConnectorModel; readonly trusted: string }>();
  for (const { model, sound } of connectors) {
    const demands = sound ? model?.definition.listener?.(model.options) : undefined;
    if (model === undefined || demands === undefined) continue;
    const { address, trustedProxies } = demands;
    const trusted = [...new Set(trustedProxies)].sort().join(", ");
    const other = first.get(address);
    if (other === undefined) first.set(address, { model, trusted });
    if (other === undefined || other.trusted === trusted) continue;
    const placeOf = ({ options }: ConnectorModel) =>
      placesOf(options as { readonly trust_proxy?: unknown }).of("trust_proxy");
    const { file, line } = positionOf(placeOf(other.model));
    report({
      code: "conflicting-proxies",
      span: placeOf(model),
      message: `connectors "${other.model.name}" and "${model.name}" share ${address}, and trust ` +
        "different proxies",
      hint: `give it the same trust_proxy as "${other.model.name}" at ${file}:${line}`,
    });
  }
}

function withoutType(body: Body): Body {
  return { ...body, attributes: body.attributes.filter(({ name }) => name !== "type") };
}

function readType(
  name: string,
  { body, headerSpan }: Block,
  { types, moreTypes, report }: Pick<Loading, "types" | "report"> & KnownTypes,
): string | undefined {
  const known = Object.keys(types);
  const attribute = new Places(body, headerSpan).attribute("type");
  if (attribute === undefined) {
    const message = `connector "${name}" needs the attribute "type"`;
    const hint = `one of ${known.join(", ")}`;
    report({ code: "missing-attribute", span: headerSpan, message, hint });
    return undefined;
  }
  const { value: type, valueSpan, failed } = attribute;
  if (failed) return undefined;
  if (typeof type !== "string") {
    const message = `connector "${name}": type must be text in quotes`;
    report({ code: "invalid-value", span: valueSpan, message });
    return undefined;
  }
  if (Object.hasOwn(types, type)) return type;
  if (moreTypes) return undefined;
  const hint = hintOfConnectorType(type, known);
  const message = `connector "${name}": there is no connector type "${type}"`;
  report({ code: "unknown-connector-type", span: valueSpan, message, hint });
  return undefined;
}

/** The look-ups of one connector. They can name any connector, so they are read when all have been. */
export class LookupReader {
  /** All of them, once they have been read. */
  readonly found: LookupModel[] = [];
  readonly #waiting: ((loading: Loading) => void)[] = [];

  /** Reads the blocks of one body later; the list is filled then. */
  readonly defer = (body: Body, kind: string, context: ReadContext): readonly LookupModel[] => {
    const models: LookupModel[] = [];
    this.#waiting.push((loading) => {
      models.push(...readLookups(body, kind, context, loading));
      this.found.push(...models);
    });
    return models;
  };

  /** Reads what has waited; all connectors are known. */
  read(loading: Loading): void {
    for (const act of this.#waiting.splice(0)) act(loading);
  }
}

function readLookups(
  body: Body,
  kind: string,
  context: ReadContext,
  loading: Loading,
): readonly LookupModel[] {
  const { subject, report } = context;
  const names = new StepNames(subject, report);
  const blocks = body.blocks.filter((b) => b.type === kind);
  if (!blocks.every(hasName)) names.addUnread();
  return nameBlocks(blocks, kind, `${subject}: `, report).map(([name, block]) => {
    const inner: ReadContext = {
      ...context,
      subject: `${subject}, step "${name}"`,
      onExpression(expression, span) {
        names.check(expression, span);
        context.onExpression?.(expression, span);
      },
    };
    const { values, request, places } = readRequest(block, lookupFields, "step", inner, loading);
    names.add(name);
    const { params, timeout, on_error: onError, cache } = values;
    const asked = { ...request, params };
    const { sent } = context;
    loading.onRequest?.({ kind: "step", subject: inner.subject, request: asked, places, sent });
    return { ...request, name, params, timeout, onError, default: values.default ?? null, cache };
  });
}
