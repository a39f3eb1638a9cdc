/**
 * The built-in connectors, by the name that `type` selects. Each is a folder that can be deleted
 * with its line here.
 *
 * May import connectors/database/, connectors/mq/, connectors/rest/ and connectors/websocket/.
 */
export { databaseConnector as database } from "./database/mod.ts";
export { mqConnector as mq } from "./mq/mod.ts";
export { restConnector as rest } from "./rest/mod.ts";
export { websocketConnector as websocket } from "./websocket/mod.ts";
