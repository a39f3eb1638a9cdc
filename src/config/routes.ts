/** Requests that more than one flow takes, or that a connector itself does. */
import { placesOf } from "../contract/places.ts";
import type { ConnectorModel, FlowModel } from "../model/mod.ts";
import { addressesOf } from "./connector.ts";
import type { Loading } from "./loading.ts";

/** The first flow of a route. */
interface Owner {
  readonly connector: string;
  readonly flow: string;
  readonly operation: string;
}

/**
 * Reports flows of which another one has the requests: a flow of another connector on the same port,
 * or one whose parameters have other names. So does a connector that serves a path itself.
 */
export function refuseSharedRoutes(
  flows: readonly FlowModel[],
  connectors: ReadonlyMap<string, ConnectorModel>,
  report: Loading["report"],
): void {
  const owners = new Map<string, Owner>();
  const served = new Map(
    [...connectors.values()].flatMap((model) =>
      addressesOf(model).map((address) => [address, model.name] as const)
    ),
  );
  for (const { name, source } of flows) {
    if (source.kind !== "connector" || source.operation === undefined) continue;
    const { connector, operation } = source;
    const { definition, options } = connectors.get(connector) ?? {};
    const route = definition?.source?.route?.(operation);
    const address = definition?.listener?.(options)?.address;
    if (route === undefined || address === undefined) continue;
    const path = route.slice(route.indexOf(" ") + 1);
    const server = served.get(`${address}${path}`);
    if (server !== undefined) {
      report({
        code: "duplicate-address",
        span: placesOf(source).of("operation"),
        message: `flow "${name}" gets no requests: connector "${server}" serves ${path} on the ` +
          "same port",
        hint: "give one of them another path",
      });
    }
    const key = JSON.stringify([address, route]);
    const owner = owners.get(key);
    if (owner === undefined) owners.set(key, { connector, flow: name, operation });
    else if (owner.connector !== connector) {
      report({
        code: "duplicate-address",
        span: placesOf(source).of("operation"),
        message: `flow "${name}" gets no requests: flow "${owner.flow}" of connector ` +
          `"${owner.connector}" takes ${operation} on the same port`,
        hint: "give both flows one connector, or one of them another path",
      });
    } else if (owner.operation !== operation) {
      report({
        code: "invalid-operation",
        span: placesOf(source).of("operation"),
        message: `flow "${name}" takes the same requests as flow "${owner.flow}" and names a ` +
          "parameter differently",
        hint: `write it as "${owner.operation}"`,
      });
    }
  }
}
