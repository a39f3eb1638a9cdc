/**
 * The `rest` connector: flows that answer HTTP requests.
 *
 * May import base/ and contract/.
 */
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { RestConnector } from "./connector.ts";
import { parseOperation } from "./operation.ts";
import { fields } from "./options.ts";
import { METADATA } from "./request.ts";

/**
 * Flows that answer HTTP requests: `operation = "METHOD /path/:parameter"`. All flows of
 * one operation run; the first in file order whose filter takes the request answers. Where two
 * paths take a request, the one that is literal earlier gets it: `/rooms/new` before `/rooms/:room`.
 */
export const restConnector: ConnectorType = defineConnector({
  fields,
  source: {
    kind: "requests",
    metadata: [...METADATA],
    check(operation) {
      const parsed = parseOperation(operation);
      return "message" in parsed ? [parsed] : [];
    },
  },
  // It opens nothing by itself.
  test: (options) => options,
  create: (options, context) => new RestConnector(options, context),
});
