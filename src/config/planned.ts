/** What the blocks of a configuration ask connectors for, as far as it is known before any event. */
import { type Block, problemAt, type Span } from "../hcl/tree.ts";
import type { ConnectorModel, Planned, PlannedRequest, PlannedSource } from "../model/mod.ts";
import type { RequestProblem } from "../contract/probe.ts";
import { Places } from "../contract/places.ts";
import { namedFields } from "./inspection/fields.ts";
import { placeOfField, placeOfItem, placeOfPart } from "./inspection/places.ts";
import { problemOf } from "./loading.ts";
import {
  constantTarget,
  type PlacedFlow,
  type PlacedRequest,
  type Surroundings,
} from "./warnings/flow.ts";
import { fieldsOf } from "./warnings/targets.ts";

/** What requests are planned with. */
export interface PlanOptions extends Pick<Surroundings, "constants" | "connectors"> {
  /** All blocks at the top level. */
  readonly blocks: readonly Block[];
}

/** The requests of flows and look-ups, and what starts the flows. */
export function planned(
  flows: readonly PlacedFlow[],
  lookups: readonly PlacedRequest[],
  options: PlanOptions,
): Planned {
  return {
    requests: [
      ...lookups.map((lookup) => planRequest(lookup, undefined, options)),
      ...flows.flatMap((flow) => flow.requests.map((one) => planRequest(one, flow, options))),
    ],
    sources: flows.flatMap((flow) => planSource(flow, options.connectors) ?? []),
  };
}

/** One request, of a flow or of a look-up. */
export function planRequest(
  placed: PlacedRequest,
  flow: PlacedFlow | undefined,
  { constants, blocks, connectors }: PlanOptions,
): PlannedRequest {
  const { request, places, subject } = placed;
  const { connector, operation, options } = request;
  // "" where it has none.
  const target = constantTarget(request, constants) || undefined;
  return {
    connector,
    operation,
    target,
    options,
    fields: fieldsOf(placed, flow),
    named: namedFields(placed, flow, connectors),
    problem(found) {
      const problem = problemOf(found, places, subject);
      return problemAt({ ...problem, span: spanOf(found, placed, flow, blocks) ?? problem.span });
    },
  };
}

/** The place of a field, of an item of a list or of a part of a text; undefined where all of the attribute is meant. */
function spanOf(
  { attribute, field, atValue, item, part }: RequestProblem,
  placed: PlacedRequest,
  flow: PlacedFlow | undefined,
  blocks: readonly Block[],
): Span | undefined {
  const found = field && placeOfField(field, placed, flow, blocks);
  if (found) return atValue ? found.value : found.name;
  const written = attribute === undefined ? undefined : placed.places.attribute(attribute);
  if (written === undefined) return undefined;
  if (item !== undefined) return placeOfItem(written, item);
  return part && placeOfPart(written, part);
}

/** The `from` block of a flow; undefined where it has none. */
export function planSource(
  { model: { source }, places }: PlacedFlow,
  connectors: ReadonlyMap<string, ConnectorModel>,
): PlannedSource | undefined {
  const block = places.block("from");
  if (source.kind !== "connector" || block === undefined) return undefined;
  const { connector, operation } = source;
  const inner = new Places(block.body, block.headerSpan);
  const subject = `connector "${connector}" (${connectors.get(connector)?.type})`;
  const problem: PlannedSource["problem"] = (found) => problemAt(problemOf(found, inner, subject));
  return { connector, operation, problem };
}
