/** Warns about what `client` never has in a flow. */
import type { ConnectorModel } from "../../model/mod.ts";
import { connectorOfClient } from "./identity.ts";
import { named, type PlacedFlow, placeOfPath, type Surroundings } from "./flow.ts";

/** What only a connection has. */
const OF_CONNECTIONS = ["id", "rooms", "connected_at"];
/** What only a token tells. */
const OF_TOKENS = ["user_id", "claims"];

/** Warns about fields of `client` that are null for every event, at each place. */
export function warnOfRequests(
  flow: PlacedFlow,
  { connectors, report }: Pick<Surroundings, "connectors" | "report">,
): void {
  const told = new Set<string>();
  for (const { expression, span } of flow.expressions) {
    const connector = connectors.get(connectorOfClient(flow, span) ?? "");
    if (connector === undefined || !hasClients(connector)) continue;
    const fields = new Set(
      [...expression.paths].flatMap((path) => /^client\.(\w+)/.exec(path)?.[1] ?? []),
    );
    for (const field of fields) {
      const why = reasonOf(field, connector);
      // All lines of a named transform have one place.
      const place = `${span.start} ${field}`;
      if (why === undefined || told.has(place)) continue;
      told.add(place);
      report({
        code: "always-null",
        span: placeOfPath(span, ["client", field]),
        message: `flow "${flow.model.name}": client.${field} is always null here`,
        hint: why,
        severity: "warning",
      });
    }
  }
}

function hasClients({ definition: { source } }: ConnectorModel): boolean {
  return source?.kind === "clients" || source?.hasClient === true;
}

/** Why a field of `client` is always null; undefined if it is not. */
function reasonOf(field: string, connector: ConnectorModel): string | undefined {
  const isConnected = connector.definition.source?.kind === "clients";
  if (!isConnected && OF_CONNECTIONS.includes(field)) {
    return "a request has no connection that could be sent to";
  }
  const verifies = connector.definition.source?.verifies?.(connector.options) === true;
  // A client claims a user, which has a warning of its own.
  if (verifies || !(isConnected ? ["claims"] : OF_TOKENS).includes(field)) return undefined;
  return `${named(connector)} needs an auth block for that`;
}
