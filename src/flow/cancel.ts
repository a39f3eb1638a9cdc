/** Ends the work of connectors that is not awaited any more. */
import { getLogger } from "@logtape/logtape";
import type { Cancellable } from "../contract/connector.ts";

/**
 * Stops the work behind a promise, where that is possible. Never throws: others are cancelled after
 * this one, or wait for their own time to be up. A connector that fails in it is logged.
 */
export function cancel(pending: unknown): void {
  const { cancel } = Object(pending) as Partial<Cancellable>;
  if (typeof cancel !== "function") return;
  Promise.try(() => cancel.call(pending)).catch((error) => {
    getLogger(["weir", "flow"]).error(
      "a connector failed to cancel what a flow does not wait for any more: {error}",
      { error },
    );
  });
}
