/**
 * The built-in connectors. Each export is a value of `type`. To remove a connector, delete its
 * folder and its line.
 *
 * May import connectors/database/, connectors/http/, connectors/mq/, connectors/mqtt/, connectors/rest/ and connectors/websocket/.
 */
export { databaseConnector as database } from "./database/mod.ts";
export { httpConnector as http } from "./http/mod.ts";
export { mqConnector as mq } from "./mq/mod.ts";
export { mqttConnector as mqtt } from "./mqtt/mod.ts";
export { restConnector as rest } from "./rest/mod.ts";
export { websocketConnector as websocket } from "./websocket/mod.ts";
