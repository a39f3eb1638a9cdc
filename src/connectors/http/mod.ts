/**
 * The `http` connector: requests to an API, as destination and as step.
 *
 * May import base/, contract/ and expression/.
 */
import { ConnectorError } from "../../base/errors.ts";
import { type ConnectorType, defineConnector } from "../../contract/definition.ts";
import { checkConnector, checkRequest } from "./checks.ts";
import { HttpConnector } from "./connector.ts";
import { fields, requestFields } from "./options.ts";
import { loadTransports } from "./loading.ts";

/**
 * `type = "http"`: calls an API. The `operation` of a `to` or a `step` is a method and a path with
 * parameters, such as `POST /orders/:id`, which the payload has. Its other fields are the query, or
 * the JSON body. The result is the parsed body of the response; a status from 400 on fails the flow.
 */
export const httpConnector: ConnectorType = defineConnector({
  fields,
  check: checkConnector,
  telemetry: async () => (await import("./telemetry.ts")).telemetry,
  destination: { fields: requestFields, check: checkRequest },
  files: ({ tls }) =>
    [tls?.ca, tls?.cert, tls?.key].filter((path) => path !== undefined)
      .map((path) => ({ path, kind: "file" })),
  testReal: (options) => options,
  async create(options, context) {
    context.played?.({ service: "HTTP API", by: "real" });
    const fail = (message: string): never => {
      throw new ConnectorError(context.name, message, { permanent: true });
    };
    return new HttpConnector(options, context, await loadTransports(options, fail));
  },
});
