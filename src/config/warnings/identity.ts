/** Warns about trust in a `user_id` that is not verified. */
import type { Expression } from "../../expression/mod.ts";
import type { ConnectorModel } from "../../model/mod.ts";
import type { Span } from "../../hcl/tree.ts";
import {
  named,
  type PlacedConnector,
  type PlacedFlow,
  placeOfPath,
  type Surroundings,
} from "./flow.ts";

/** Warns about `send_to_user` and `client.user_id` on connectors without verification, at each place. */
export function warnOfClaims(
  flow: PlacedFlow,
  { connectors, report }: Pick<Surroundings, "connectors" | "report">,
): void {
  const subject = `flow "${flow.model.name}"`;
  const { requests } = flow;
  for (const { subject, request, places } of requests) {
    const connector = connectors.get(request.connector);
    if (request.operation !== "send_to_user" || !believes(connector)) continue;
    const message = `${subject}: a client can claim any user_id at ${named(connector)} ` +
      "and get what is sent to it";
    report({ ...unverified(connector), span: places.of("operation"), message });
  }
  const told = new Set<number>();
  for (const { expression, span } of flow.expressions) {
    const reads = readsUser(expression);
    const connector = connectors.get(connectorOfClient(flow, span) ?? "");
    // All lines of a named transform have one place.
    if (!reads || told.has(span.start) || !believes(connector)) continue;
    told.add(span.start);
    const place = placeOfPath(span, ["client", "user_id"]);
    const message = `${subject}: a client can claim any user_id at ${named(connector)}`;
    report({ ...unverified(connector), span: place, message });
  }
}

/** Warns about expressions of a connector that trust the unverified identity of its clients. */
export function warnOfClaimsInRules(
  { model, expressions }: PlacedConnector,
  { report }: Pick<Surroundings, "report">,
): void {
  if (!believes(model)) return;
  for (const { expression, span } of expressions) {
    if (!readsUser(expression)) continue;
    const place = placeOfPath(span, ["client", "user_id"]);
    const message = `${named(model)}: a client can claim any user_id`;
    report({ ...unverified(model), span: place, message });
  }
}

function readsUser({ paths }: Expression): boolean {
  return [...paths].some((path) => /^client\.user_id(?:\.|$)/.test(path));
}

/** The connector whose client `client` is at this place. */
export function connectorOfClient(
  { model: { source }, requests }: PlacedFlow,
  { file, start }: Span,
): string | undefined {
  // In a destination's `filter`, `client` is the recipient.
  const destination = requests.find(({ places }) => {
    const filter = places.of("filter");
    return filter.file === file && filter.start === start;
  });
  if (destination !== undefined) return destination.request.connector;
  return source.kind === "connector" ? source.connector : undefined;
}

/** Whether the connector has clients and does not verify their identity. */
function believes(connector: ConnectorModel | undefined): connector is ConnectorModel {
  const source = connector?.definition.source;
  return source?.kind === "clients" && source.verifies?.(connector?.options) !== true;
}

function unverified({ name }: ConnectorModel) {
  const hint = `an auth block in connector "${name}" verifies it`;
  return { code: "unverified-user", hint, severity: "warning" } as const;
}
