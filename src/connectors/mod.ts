/**
 * The built-in connectors, by the name that `type` selects. Each is a folder that can be deleted
 * with its line here.
 *
 * May import connectors/database/, connectors/mq/, connectors/rest/, connectors/websocket/ and
 * contract/.
 */
import type { ConnectorType } from "../contract/definition.ts";
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
