/** Payloads of messages: JSON, or text as it is. */
import type { DeliveryFailure } from "../../contract/subscriptions.ts";
import { readBody } from "../../messaging/mod.ts";
import type { MqttOptions } from "./options.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a payload. Returns a failure where it is not what the connector's `format` says. */
export function readPayload(
  payload: Uint8Array,
  format: MqttOptions["format"],
): { readonly body: unknown } | DeliveryFailure {
  if (format === "json") return readBody(payload);
  try {
    return { body: decoder.decode(payload) };
  } catch {
    return { reason: "its payload is not text in UTF-8", permanent: true };
  }
}
