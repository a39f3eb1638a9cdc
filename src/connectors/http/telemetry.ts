/** What traces say of an `http` connector: the semantic conventions of HTTP clients. */
import { serverAttributes, type Telemetry } from "../../contract/telemetry.ts";
import { parseOperation } from "./operation.ts";
import type { HttpOptions } from "./options.ts";

/** The spans of requests to an API. */
export const telemetry: Telemetry<HttpOptions> = {
  request({ operation: text }, { base_url }, connector) {
    const operation = parseOperation(text);
    if ("code" in operation) return { name: connector, kind: "client" };
    const { method } = operation;
    const scheme = URL.parse(base_url)?.protocol.slice(0, -1) ?? "http";
    return {
      name: operation.text,
      kind: "client",
      attributes: {
        "http.request.method": method,
        "url.template": operation.text.slice(method.length).trim(),
        "url.scheme": scheme,
        ...serverAttributes(base_url, scheme === "https" ? 443 : 80),
      },
    };
  },
};
