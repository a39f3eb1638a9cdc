/** What becomes of an event whose flow has failed: its fallback, and the answer to its caller. */
import type { Outcome } from "../contract/connector.ts";
import { type ErrorAnswer, FlowError } from "../base/errors.ts";
import { isObject } from "../base/json.ts";
import type { ErrorHandlingModel, ErrorResponseModel, FallbackModel } from "../model/mod.ts";
import type { DeliveryContext } from "./delivery.ts";
import { isPermanent, reasonOf } from "./failure.ts";
import { writeTo } from "./requests.ts";
import type { Run } from "./run.ts";
import { evaluateAll } from "./transform.ts";
import { settled, type Work } from "./work.ts";

/** The outcome of an event that counts as handled, although no destination has taken it. */
export const HANDLED: Outcome = { response: undefined, result: undefined, created: false };

/**
 * Hands what has failed for good to the fallback. Gives the outcome where it counts as handled then.
 *
 * @throws {FlowError} There is no fallback or it failed as well, or a caller is to be answered.
 */
export function* recover(
  error: FlowError,
  run: Run,
  { fallback, errorResponse }: ErrorHandlingModel,
  context: DeliveryContext,
): Work<Outcome> {
  run.scope.renewSteps();
  const answered = withAnswer(error, run, errorResponse, context);
  // Who is refused by `accept` has not failed.
  if (fallback === undefined || error.code === "rejected") throw answered;
  const failed = yield* deliverFallback(fallback, error, run, context);
  // Both must be beyond help: a fallback that is away for a while may take the event the next time.
  if (failed !== undefined) {
    throw copy(answered, { permanent: error.permanent && isPermanent(failed) });
  }
  if (errorResponse !== undefined) throw answered;
  return HANDLED;
}

/** The error with what the flow's `error_response` makes of it for the caller. */
export function withAnswer(
  error: FlowError,
  run: Run,
  model: ErrorResponseModel | undefined,
  { flow, logger }: Pick<DeliveryContext, "flow" | "logger">,
): FlowError {
  if (model === undefined) return error;
  const { code, message, ref = null, details = null } = error;
  const scope = run.scope.withOutput(run.scope.output);
  // The caller may see all of this, so it is not the cause.
  scope.error = { code, message, ref, details, step: run.stage };
  let answer: ErrorAnswer = { status: model.status, body: undefined };
  try {
    if (model.body !== undefined) answer = { ...answer, body: evaluateAll(model.body, scope) };
  } catch (cause) {
    logger.error("flow {flow}: its error_response failed: {reason}", {
      flow,
      reason: reasonOf(cause),
      error: cause,
    });
  }
  return copy(error, { answer });
}

/** Gives why the fallback failed, or undefined. */
function* deliverFallback(
  fallback: FallbackModel,
  failure: FlowError,
  run: Run,
  { flow, connectors, logger }: DeliveryContext,
): Work<unknown> {
  const { code, ref = null, details = null, cause } = failure;
  const error = {
    code,
    message: cause === undefined ? failure.message : reasonOf(cause),
    ref,
    details,
    step: run.stage,
  };
  run.scope.error = error;
  run.scope.output = run.payload;
  const amend = fallback.includeError ? (payload: unknown) => withError(payload, error) : undefined;
  try {
    yield* settled(writeTo(connectors, fallback, run, amend));
    return undefined;
  } catch (second) {
    logger.error("flow {flow}: its fallback failed (ref {ref}): {reason}", {
      flow,
      ref,
      reason: reasonOf(second),
      error: second,
    });
    return second;
  }
}

/** A payload that is no object stands as `data` beside the error. */
function withError(payload: unknown, error: unknown): Readonly<Record<string, unknown>> {
  return { ...(isObject(payload) ? payload : { data: payload }), error };
}

function copy(
  error: FlowError,
  changes: { readonly permanent?: boolean; readonly answer?: ErrorAnswer },
): FlowError {
  const { flow, code, message, cause, ref, permanent, outage, details, answer } = error;
  return new FlowError(flow, code, {
    message,
    permanent,
    outage,
    ...(cause === undefined ? {} : { cause }),
    ...(ref === undefined ? {} : { ref }),
    ...(details === undefined ? {} : { details }),
    ...(answer === undefined ? {} : { answer }),
    ...changes,
  });
}
