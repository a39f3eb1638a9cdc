/** Bodies of messages: JSON in UTF-8. */
import { isDeeperThan, MAX_DEPTH } from "../base/json.ts";
import type { DeliveryFailure } from "../contract/subscriptions.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a body. Returns a failure where it is not JSON, or nests too deep. */
export function readBody(
  body: string | Uint8Array,
): { readonly body: unknown } | DeliveryFailure {
  const bad: DeliveryFailure = { reason: "its body is not JSON", permanent: true };
  let text: string;
  try {
    text = typeof body === "string" ? body : decoder.decode(body);
  } catch {
    return bad;
  }
  // Checked on the text: a parser, and all that reads its value, would call itself for each level.
  if (isDeeperThan(text, MAX_DEPTH)) {
    return { reason: `its body nests deeper than ${MAX_DEPTH}`, permanent: true };
  }
  try {
    return { body: JSON.parse(text) };
  } catch {
    // The parser's own message quotes the body, which must not be logged.
    return bad;
  }
}
