/**
 * The `rest` connector: flows that answer HTTP requests.
 *
 * May import access/, base/, contract/ and transport/.
 *
 * A request goes through `gate.ts` (origin, token, rate), `request.ts` (its body) and `connector.ts` to
 * its flows; `response.ts` makes the answer. `unserved.ts` answers what no flow serves, and `cors.ts`
 * tells browsers whose pages may read an answer.
 */
import { type AuthOptions, checkAuth, withoutKeys } from "../../access/auth/fields.ts";
import { loadAuthenticator } from "../../access/auth/load.ts";
import { demandsOf } from "../../access/proxies.ts";
import type { Connector, ConnectorContext } from "../../contract/connector.ts";
import {
  type CodedProblem,
  type ConnectorType,
  defineConnector,
} from "../../contract/definition.ts";
import { RestConnector } from "./connector.ts";
import { parseOperation } from "./operation.ts";
import { fields, pagesOf, type RestOptions } from "./options.ts";
import { METADATA } from "./request.ts";

/**
 * Flows that answer HTTP requests: `operation = "METHOD /path/:parameter"`. All flows of
 * one operation run; the first in file order whose filter takes the request answers. Where two
 * paths take a request, the one that is literal earlier gets it: `/rooms/new` before `/rooms/:room`.
 */
export const restConnector: ConnectorType = defineConnector({
  fields,
  check(options): CodedProblem[] {
    const { auth, cors, origins } = options;
    const problems: CodedProblem[] = [...checkAuth(auth, pagesOf(options), "send requests")];
    if (cors === "*" && origins !== undefined) {
      problems.push({
        code: "conflicting-attributes",
        attribute: "cors",
        message: "lets any page read its answers, and refuses the requests of most",
        hint: "list the origins in cors, too",
      });
    }
    return problems;
  },
  listener: demandsOf,
  telemetry: async () => (await import("./telemetry.ts")).telemetry,
  source: {
    kind: "requests",
    hasClient: true,
    needsToken: ({ auth }) => auth?.required === true,
    verifies: ({ auth }) => auth !== undefined,
    metadata: [...METADATA],
    route(operation) {
      const parsed = parseOperation(operation);
      return "message" in parsed ? undefined : `${parsed.method} ${parsed.shape}`;
    },
    check(operation) {
      const parsed = parseOperation(operation);
      return "message" in parsed ? [parsed] : [];
    },
  },
  // It opens nothing but the URL of keys, and a test names the users of its requests.
  test: (options) => ({ ...options, auth: options.auth && withoutKeys(options.auth) }),
  create: (options, context) =>
    options.auth === undefined
      ? new RestConnector(options, context)
      : createWithAuth(options, options.auth, context),
});

async function createWithAuth(
  options: RestOptions,
  auth: AuthOptions,
  context: ConnectorContext,
): Promise<Connector> {
  return new RestConnector(options, context, await loadAuthenticator(auth, context));
}
