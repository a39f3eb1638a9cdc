/** What traces say of a `rest` connector: the semantic conventions of HTTP servers. */
import type { SpanAttributes, Telemetry } from "../../contract/telemetry.ts";
import { parseOperation } from "./operation.ts";
import type { RestOptions } from "./options.ts";
import { RequestEvent } from "./request.ts";
import { endingStatus } from "./response.ts";

/** The spans of flows that answer requests. */
export const telemetry: Telemetry<RestOptions> = {
  event(text, _, connector) {
    const operation = parseOperation(text);
    if ("message" in operation) return { name: connector, kind: "server" };
    const { method, path } = operation;
    return {
      name: `${method} ${path}`,
      kind: "server",
      attributes: { "http.request.method": method, "http.route": path },
      attributesOfEvent: (event): SpanAttributes =>
        event instanceof RequestEvent ? { "url.path": event.path } : {},
      attributesOfEnding: (ending) => ({ "http.response.status_code": endingStatus(ending) }),
    };
  },
};
