/** What the spans of flows, requests and deliveries are called, and what they tell. */
import type { RequestModel } from "../contract/request.ts";
import type { EventDescription, SpanDescription, Telemetry } from "../contract/telemetry.ts";
import type { FlowModel, Model } from "../model/mod.ts";

/** What is traced, and what its connectors say of themselves, by their names. */
export interface Described {
  readonly model: Model;
  readonly telemetry: ReadonlyMap<string, Telemetry>;
}

/** Loads what the connectors of a model say of themselves. */
export async function describedOf(model: Model): Promise<Described> {
  const telemetry = new Map<string, Telemetry>();
  for (const { name, definition } of model.connectors.values()) {
    const loaded = await definition.telemetry?.();
    if (loaded !== undefined) telemetry.set(name, loaded);
  }
  return { model, telemetry };
}

/** The kind of the spans of a source, by who waits for the end of an event. */
const KINDS = { clients: "server", requests: "server", messages: "consumer" } as const;

/** The spans of the runs of a flow. */
export function describeEvent(
  { name: flow, source }: FlowModel,
  { model, telemetry }: Described,
): EventDescription {
  const own = { "weir.flow": flow };
  if (source.kind === "schedule") {
    return { name: `schedule ${flow}`, kind: "internal", attributes: own };
  }
  const { connector: name, operation } = source;
  const connector = model.connectors.get(name);
  const definition = connector?.definition;
  const described = telemetry.get(name)?.event?.(operation, connector?.options, name) ?? {
    name: operation === undefined ? name : `${operation} ${name}`,
    kind: KINDS[definition?.source?.kind ?? "messages"],
  };
  const attributes = { ...described.attributes, ...own, "weir.connector": name };
  return { ...described, attributes };
}

/** The spans of the requests of a block. */
export function describeRequest(
  block: RequestModel,
  { model, telemetry }: Described,
): SpanDescription {
  const { connector: name, operation, options } = block;
  const connector = model.connectors.get(name);
  const target = typeof block.target === "string" ? block.target : undefined;
  const asked = { operation, target, options };
  const described = telemetry.get(name)?.request?.(asked, connector?.options, name) ?? {
    name: operation === undefined ? name : `${operation} ${name}`,
    kind: "client",
  };
  const attributes = {
    ...described.attributes,
    "weir.connector": name,
    ...(operation !== undefined && { "weir.operation": operation }),
  };
  return { ...described, attributes };
}

/** The span of what a connector looks up outside of flows. */
export function describeLookups(connector: string): SpanDescription {
  return {
    name: `look up ${connector}`,
    kind: "internal",
    attributes: { "weir.connector": connector },
  };
}

/** The spans of what an instance does for a request of another one. */
export function describeRelay(connector: string, operation: string | undefined): SpanDescription {
  const known = operation !== undefined && { "weir.operation": operation };
  return {
    name: `deliver ${connector}`,
    kind: "consumer",
    attributes: { "weir.connector": connector, ...known },
  };
}
