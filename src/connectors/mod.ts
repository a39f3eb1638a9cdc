/** The connectors that Weir brings, by the name that `type` gives them. */
import type { ConnectorType } from "../connector-type.ts";
import { databaseConnector } from "./database/mod.ts";
import { mqConnector } from "./mq/mod.ts";
import { restConnector } from "./rest/mod.ts";
import { websocketConnector } from "./websocket/mod.ts";

/** Every built-in connector type. Client libraries are loaded when a configuration uses them. */
export const builtInConnectors: Readonly<Record<string, ConnectorType>> = {
  database: databaseConnector,
  mq: mqConnector,
  rest: restConnector,
  websocket: websocketConnector,
};
