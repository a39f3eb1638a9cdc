/** Warns of what is declared and never used. */
import { didYouMean } from "../../base/nearest.ts";
import type { Usage } from "../../contract/definition.ts";
import type { ConnectorModel } from "../../model/mod.ts";
import { placesOf } from "../../contract/places.ts";
import { reportAll } from "../loading.ts";
import {
  constantTarget,
  named,
  type PlacedConnector,
  type PlacedFlow,
  type Surroundings,
} from "./flow.ts";

/** Lets the connector's type say what of its block is of no use to these flows. */
export function warnOfUnused(
  { model }: PlacedConnector,
  flows: readonly PlacedFlow[],
  { constants, report }: Surroundings,
): void {
  const requests = flows.flatMap((flow) => flow.requests)
    .filter(({ request }) => request.connector === model.name)
    .map(({ request }) => ({
      operation: request.operation,
      target: constantTarget(request, constants),
    }));
  const paths = new Set(
    flows.flatMap(({ expressions }) => expressions)
      .flatMap(({ expression }) => [...expression.paths]),
  );
  const usage = { requests, paths };
  warnAmong(model, flows, usage, { constants, report });
  const problems = model.definition.checkUsage?.(usage, model.options) ?? [];
  const warnings = problems.map((one) => ({ ...one, severity: "warning" as const }));
  reportAll(warnings, placesOf(model.options as object), named(model), report);
}

/** Lets the connector's type say what of a single block makes no sense beside the others. */
function warnAmong(
  { name, definition, options }: ConnectorModel,
  flows: readonly PlacedFlow[],
  usage: Usage,
  { constants, report }: Pick<Surroundings, "constants" | "report">,
): void {
  for (const { subject, request, places } of flows.flatMap((flow) => flow.requests)) {
    if (request.connector !== name) continue;
    const asked = { operation: request.operation, target: constantTarget(request, constants) };
    const found = definition.destination?.checkAmong?.(asked, usage, options) ?? [];
    const warnings = found.map((one) => ({ ...one, severity: "warning" as const }));
    reportAll(warnings, places, subject, report);
  }
}

/** Whether another connector of the same type sends, or leaves what it could not handle, to a flow. */
function arrivesElsewhere(
  { operation }: { readonly operation: string | undefined },
  { name, definition, options }: ConnectorModel,
  flows: readonly PlacedFlow[],
  { connectors, constants }: Pick<Surroundings, "connectors" | "constants">,
): boolean {
  const { receivesFrom } = definition.source ?? {};
  if (receivesFrom === undefined) return false;
  const isOther = (one: ConnectorModel | undefined): one is ConnectorModel =>
    one !== undefined && one.name !== name && one.definition === definition;
  const consumes = new Set(
    flows.flatMap(({ model: { source } }) => source.kind === "connector" ? [source.connector] : []),
  );
  const leaves = [...consumes].map((one) => connectors.get(one)).filter(isOther)
    .some((sender) => receivesFrom(operation, undefined, options, sender.options));
  return leaves || flows.flatMap((flow) => flow.requests).some(({ request }) => {
    const sender = connectors.get(request.connector);
    if (!isOther(sender)) return false;
    const target = constantTarget(request, constants);
    // A target that the event decides may be any; only the connectors count then.
    return target === undefined
      ? receivesFrom(operation, operation ?? "", options, sender.options)
      : receivesFrom(operation, target, options, sender.options);
  });
}

/**
 * Warns of a flow whose source is fed by this configuration alone, where no destination of it
 * publishes the flow's operation. A target that the event decides may be any.
 */
export function warnOfUnpublished(
  flows: readonly PlacedFlow[],
  { connectors, constants, report }: Surroundings,
): void {
  const requests = flows.flatMap((flow) => flow.requests).map(({ request }) => request);
  for (const { model: { name, source } } of flows) {
    if (source.kind !== "connector") continue;
    const connector = connectors.get(source.connector);
    const { receives, internal } = connector?.definition.source ?? {};
    if (connector === undefined || !internal?.(connector.options) || !receives) continue;
    const published = requests.filter((request) => request.connector === connector.name)
      .map((request) => ({ target: constantTarget(request, constants), request }));
    const arrives = published.some(({ target, request }) =>
      target === undefined ||
      receives(source.operation, target, connector.options, request.operation)
    );
    if (arrives || arrivesElsewhere(source, connector, flows, { connectors, constants })) continue;
    const targets = published.map(({ target }) => target);
    const { operation } = source;
    const what = operation === undefined ? "anything" : `"${operation}"`;
    const near = operation === undefined
      ? undefined
      : didYouMean(operation, targets.filter((target) => target !== undefined));
    report({
      code: "unpublished-operation",
      span: placesOf(source).of("operation"),
      message: `flow "${name}" never starts: no flow publishes ${what} on ${named(connector)}`,
      hint: near ?? "it lives in this process alone: publish there, or use a real broker",
      severity: "warning",
    });
  }
}
