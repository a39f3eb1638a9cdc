/** The backplane of a service: which connector it is, and what it asks of the rest. */
import { placesOf } from "../contract/places.ts";
import type { ConnectorModel, FlowModel, ServiceModel } from "../model/mod.ts";
import { findNamed, type Loading } from "./loading.ts";
import { named, type PlacedConnector, type PlacedFlow } from "./warnings/flow.ts";
import { heardByAll } from "./warnings/instances.ts";

/** What a backplane is looked for in. */
interface BackplaneSearch extends Pick<Loading, "connectors" | "unsound" | "declared" | "report"> {
  readonly service: ServiceModel;
}

/**
 * Finds the connector that links the instances of the service; undefined where none is named.
 * Reports one that cannot, and a second one.
 */
export function findBackplane(
  placed: readonly PlacedConnector[],
  { service, connectors, unsound, declared, report }: BackplaneSearch,
): ConnectorModel | undefined {
  let found: ConnectorModel | undefined;
  let first: { readonly owner: string; readonly name: string } | undefined;
  for (const { model } of placed) {
    const name = model.definition.linkedBy?.(model.options);
    if (name === undefined) continue;
    const span = placesOf(model.options as { readonly backplane?: unknown }).of("backplane");
    const subject = named(model);
    if (first !== undefined && first.name !== name) {
      const message = `${subject} names the backplane "${name}", and connector "${first.owner}" ` +
        `names "${first.name}"`;
      const hint = "a service has one backplane, which all of its connectors use";
      report({ code: "several-backplanes", span, message, hint });
      continue;
    }
    if (first !== undefined) continue;
    first = { owner: model.name, name };
    if (service.name === undefined && !declared.mayMiss("service")) {
      const message = `${subject} has a backplane, but the service has no name`;
      const hint = 'give it one: service { name = "chat" }';
      report({ code: "missing-service-name", span, message, hint });
    }
    const connector = findNamed("connector", name, connectors, { span, subject }, {
      declared,
      report,
    });
    if (connector === undefined || unsound.has(name)) continue;
    const { backplane } = connector.definition;
    if (backplane === undefined || backplane.unable?.(connector.options) !== undefined) {
      const message = `${subject}: ${named(connector)} cannot link the instances of a service`;
      const hint = backplane?.unable?.(connector.options) ??
        'name an mq connector with driver = "redis", "nats" or "rabbitmq"';
      report({ code: "not-a-backplane", span, message, hint });
      continue;
    }
    found = connector;
  }
  return found;
}

/** Reports what the instances of a service with this backplane cannot do. */
export function checkInstances(
  backplane: ConnectorModel,
  flows: readonly PlacedFlow[],
  connectors: readonly PlacedConnector[],
  report: Loading["report"],
): void {
  const keeps = backplane.definition.backplane?.keeps(backplane.options) ?? false;
  for (const { model: { name, dedupe }, places } of flows) {
    if (keeps || dedupe === undefined || dedupe.store !== undefined) continue;
    report({
      code: "missing-store",
      span: places.of("dedupe"),
      message: `flow "${name}", dedupe: the instances of the service cannot share its keys over ` +
        `connector "${backplane.name}"`,
      hint: 'name a database that keeps them: store = "db"',
    });
  }
  checkHistory(backplane, connectors, report);
  for (const { model } of connectors) {
    const operations = flows.flatMap(({ model: { source } }) =>
      source.kind === "connector" && source.connector === model.name ? [source.operation] : []
    );
    const why = model.definition.unshared?.(model.options, operations);
    if (why === undefined) continue;
    report({
      code: "unshared-connector",
      span: placesOf(model.options as object).header,
      message: `${named(model)}: with several instances, ${why}`,
    });
  }
}

/** Reports blocks that need a history where the backplane has none. */
function checkHistory(
  backplane: ConnectorModel,
  connectors: readonly PlacedConnector[],
  report: Loading["report"],
): void {
  if (backplane.definition.backplane?.remembers?.(backplane.options) === true) return;
  for (const { model } of connectors) {
    const { definition, options } = model;
    if (definition.linkedBy?.(options) !== backplane.name) continue;
    const { block = "", labels = [] } = definition.remembers?.(options) ?? {};
    for (const label of labels) {
      report({
        code: "unsupported-history",
        span: placesOf(options as Readonly<Record<string, unknown>>).of(block, label),
        message:
          `${named(model)}, ${block} ${JSON.stringify(label)}: the instances of the service ` +
          `cannot share its history over ${named(backplane)}`,
        hint: 'use a backplane with driver = "redis", or delete history',
      });
    }
  }
}

/** A flow whose requests say whether every instance of the service hears its source by itself. */
export function withInstances(
  flow: FlowModel,
  connectors: ReadonlyMap<string, ConnectorModel>,
): FlowModel {
  const { source, accept, steps, to, errorHandling } = flow;
  if (source.kind !== "connector") return flow;
  const connector = connectors.get(source.connector);
  if (connector === undefined || !heardByAll(connector, source.operation)) return flow;
  const marked = <Request extends object>(request: Request) => ({
    ...request,
    everyInstance: true,
  });
  const { fallback } = errorHandling;
  return {
    ...flow,
    accept: accept && { ...accept, steps: accept.steps.map(marked) },
    steps: steps.map(marked),
    to: to.map(marked),
    errorHandling: { ...errorHandling, fallback: fallback && marked(fallback) },
  };
}
