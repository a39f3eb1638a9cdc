/** What traces say of an `mqtt` connector: the semantic conventions of messaging. */
import { serverAttributes, type Telemetry } from "../../contract/telemetry.ts";
import { processSpan, publishSpan } from "../../messaging/telemetry.ts";
import type { MqttOptions } from "./options.ts";

/** The spans of messages that come and of those that are published. */
export const telemetry: Telemetry<MqttOptions> = {
  event: (operation, { url }, connector) =>
    processSpan("mqtt", operation ?? connector, serverAttributes(url)),
  request: ({ target }, { url }, connector) =>
    publishSpan("mqtt", target ?? connector, serverAttributes(url)),
};
