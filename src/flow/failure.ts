/** What went wrong in a flow, as its caller, its log and its expressions are told. */
import type { Logger } from "../contract/connector.ts";
import {
  ConnectorError,
  ExpressionError,
  FlowError,
  isOutage,
  newRef,
  TimeoutError,
} from "../base/errors.ts";
import type { Violation } from "../type/mod.ts";

/** Whether a second try cannot succeed. */
export function isPermanent(error: unknown): boolean {
  return error instanceof ExpressionError ||
    (error instanceof ConnectorError && error.permanent) ||
    (error instanceof FlowError && error.permanent);
}

/** The flow's `accept` has refused the event. `permanent` is false where it is to come again. */
export function rejected(flow: string, permanent: boolean): FlowError {
  return new FlowError(flow, "rejected", { message: `flow "${flow}" refuses this`, permanent });
}

/** A type has refused the data. */
export function invalid(flow: string, type: string, violations: readonly Violation[]): FlowError {
  const message = `flow "${flow}": the data is no valid ${type}`;
  return new FlowError(flow, "validation_failed", {
    message,
    details: violations,
    permanent: true,
  });
}

/**
 * Any failure as a FlowError. It is logged: with its cause, which no client may see, under a
 * reference that both sides are given; or at debug where the sender alone is to blame.
 */
export function toFlowError(flow: string, cause: unknown, logger: Logger): FlowError {
  if (cause instanceof FlowError) {
    const { code, details } = cause;
    // Another flow's failure has been logged by that flow.
    if (cause.flow === flow) {
      logger.debug("flow {flow} refused an event: {code} {details}", { flow, code, details });
    }
    return cause;
  }
  const ref = newRef();
  const late = cause instanceof TimeoutError;
  logger.error("flow {flow} failed (ref {ref}): {reason}", {
    flow,
    ref,
    reason: reasonOf(cause),
    error: cause,
  });
  const message = late ? `flow "${flow}" took too long (ref ${ref})` : undefined;
  const options = {
    cause,
    ref,
    permanent: isPermanent(cause),
    outage: isOutage(cause),
    ...(message && { message }),
  };
  return new FlowError(flow, late ? "timeout" : "flow_failed", options);
}

/** The cause in words, with the place of an expression. */
export function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const place = cause instanceof ExpressionError ? cause.place : undefined;
  return place === undefined ? cause.message : `${place}: ${cause.message}`;
}
