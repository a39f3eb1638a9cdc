/** Warns of flows that every instance of a service would run for one event. */
import type { ConnectorModel, RequestModel } from "../../model/mod.ts";
import { named, type PlacedFlow, type Surroundings } from "./flow.ts";

/**
 * Warns about each destination outside of the service whose flow every instance runs, so that it gets
 * each event once from each of them.
 */
export function warnOfEveryInstance(
  { model, requests }: PlacedFlow,
  { backplane, connectors, report }: Surroundings,
): void {
  if (backplane === undefined || model.source.kind !== "connector") return;
  const source = connectors.get(model.source.connector);
  if (source === undefined || !heardByAll(source, model.source.operation)) return;
  for (const { kind, subject, request, places } of requests) {
    const connector = connectors.get(request.connector);
    if (kind === "step" || connector === undefined) continue;
    if (sendsToClients(connector) && !isKept(connector, request)) continue;
    report({
      code: "every-instance",
      span: places.of("connector"),
      message: `${subject}: every instance of the service hears each event of ${named(source)}, ` +
        `so ${named(connector)} gets it once from each of them`,
      hint: "let the instances share the events, such as by a named queue, a durable or $share",
      severity: "warning",
    });
  }
}

/** Whether every instance hears an operation of a connector by itself. */
export function heardByAll(
  { definition, options }: ConnectorModel,
  operation: string | undefined,
): boolean {
  return definition.source?.everyInstance?.(operation, options) ?? false;
}

/** Whether clients that come later get what a request sends to clients. */
function isKept({ definition, options }: ConnectorModel, request: RequestModel): boolean {
  const { operation, target, options: own } = request;
  return definition.destination?.keeps?.({ operation, target, options: own }, options) ?? false;
}

function sendsToClients({ definition }: ConnectorModel): boolean {
  return definition.source?.kind === "clients";
}
