/** The errors of a flow, and what happens to an event that failed: `fallback`, `error_response`. */
import {
  ConnectorError,
  type ErrorAnswer,
  ExpressionError,
  FlowError,
  isOutage,
  isRefusal,
  reasonOf,
  TimeoutError,
} from "../base/errors.ts";
import { newRef } from "../base/ids.ts";
import { isObject } from "../base/json.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger, Outcome } from "../contract/connector.ts";
import type { RunOutcome } from "../contract/observer.ts";
import { holds } from "../expression/condition.ts";
import type {
  ErrorHandlingModel,
  ErrorResponseModel,
  FallbackModel,
  RejectModel,
} from "../model/mod.ts";
import type { Violation } from "../type/mod.ts";
import { type Coroutine, waitFor } from "./coroutine.ts";
import { deliverEach, placeIn } from "./each.ts";
import { type Connectors, writeTo } from "./requests.ts";
import { asScope, evaluateAll, type Run } from "./run.ts";

/** The outcome of an event that counts as handled, although no destination received it. */
export const HANDLED: Outcome = { response: undefined, result: undefined, created: false };

/** What error handling needs from the flow. */
export interface FailureContext {
  readonly flow: string;
  readonly connectors: Connectors;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Makes the references of errors; random ones if it is absent. */
  readonly newId?: (() => string) | undefined;
}

/** Thrown where a `reject` between destinations is true. It undoes the transaction at work. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** The block that refuses the event. */
  readonly reject: RejectModel;

  /** `reject` is the block that refuses the event. */
  constructor(reject: RejectModel) {
    super(reject.message);
    this.reject = reject;
  }
}

/** Whether a retry cannot succeed. */
export function isPermanent(error: unknown): boolean {
  return error instanceof ExpressionError || error instanceof Refusal ||
    (error instanceof ConnectorError && error.permanent) ||
    (error instanceof FlowError && error.permanent);
}

/** The flow refuses the event, which counts as handled. */
export function refusedQuietly(run: Run): Outcome {
  run.outcome = "rejected";
  return HANDLED;
}

/** The flow's `accept` was false. `permanent` is false if the event is to be redelivered. */
export function rejected(flow: string, permanent: boolean): FlowError {
  return new FlowError(flow, "rejected", {
    message: `flow "${flow}" rejected the event`,
    permanent,
  });
}

/** A `reject` of the flow was true. */
export function refused(flow: string, reject: RejectModel): FlowError {
  const { code, status, message, onReject } = reject;
  return new FlowError(flow, code, { status, message, permanent: onReject !== "requeue" });
}

/** The data does not match a type. */
export function invalid(flow: string, type: string, violations: readonly Violation[]): FlowError {
  const message = `flow "${flow}": the data is not a valid ${type}`;
  return new FlowError(flow, "validation_failed", {
    message,
    details: violations,
    permanent: true,
  });
}

/**
 * Converts any failure to a FlowError and logs it. The log has the cause, which no client may see,
 * under a reference that the client gets as well. A refused event is logged at debug, without one.
 * `place` precedes the reason in the log.
 */
export function toFlowError(
  flow: string,
  cause: unknown,
  { logger, newId }: Pick<FailureContext, "logger" | "newId">,
  place = "",
): FlowError {
  if (cause instanceof FlowError) {
    const { code, details } = cause;
    // Another flow has logged its own failure.
    if (cause.flow === flow) {
      logger.debug("flow {flow} refused an event: {code} {details}", { flow, code, details });
    }
    return cause;
  }
  const ref = newRef(newId);
  const late = cause instanceof TimeoutError;
  logger.error("flow {flow} failed (ref {ref}): {reason}", {
    flow,
    ref,
    reason: place + reasonOf(cause),
    error: cause,
  });
  const message = late ? `flow "${flow}" timed out (ref ${ref})` : undefined;
  const options = {
    cause,
    ref,
    permanent: isPermanent(cause),
    outage: isOutage(cause),
    ...(message && { message }),
  };
  return new FlowError(flow, late ? "timeout" : "flow_failed", options);
}

/** What precedes the reason of a failure in the log. A time limit names nothing by itself. */
export function placeOf(run: Run, cause: unknown): string {
  const late = cause instanceof TimeoutError;
  return placeIn(run) + (late ? `at "${run.stage}": ` : "");
}

/**
 * Writes an event that failed to the fallback. Returns the outcome if the event counts as handled.
 *
 * @throws {FlowError} There is no fallback, it failed as well, or an `error_response` applies.
 */
export function* recover(
  error: FlowError,
  run: Run,
  { fallback, errorResponses }: ErrorHandlingModel,
  context: FailureContext,
): Coroutine<Outcome> {
  run.scope.renewSteps();
  const answered = withAnswer(error, run, errorResponses, context);
  // An event that the flow refuses has not failed.
  if (fallback === undefined || isRefusal(error)) throw answered;
  const failed = yield* writeFallback(fallback, error, run, context);
  // A fallback that is unavailable for a while may take the event when it is redelivered.
  if (failed !== undefined) {
    throw copy(answered, { permanent: error.permanent && isPermanent(failed) });
  }
  run.outcome = "fallback";
  if (answered !== error) throw answered;
  return HANDLED;
}

/** What a failure is for those that watch. */
export function outcomeOf(error: FlowError): RunOutcome {
  if (isRefusal(error)) return "rejected";
  if (error.code === "validation_failed") return "invalid";
  return error.code === "timeout" ? "timeout" : "failed";
}

/** The error with the answer of the first `error_response` that applies, else the error itself. */
export function withAnswer(
  error: FlowError,
  run: Run,
  models: readonly ErrorResponseModel[],
  { flow, logger }: FailureContext,
): FlowError {
  if (models.length === 0) return error;
  const { code, message, ref = null, details = null, cause } = error;
  const scope = run.scope.withOutput(run.scope.output);
  // The caller may see all of this, so the cause is not part of it, but for what an API has answered.
  scope.error = { code, message, ref, details, step: run.stage, ...answerOf(cause) };
  const attempt = <T>(evaluate: () => T): T | undefined => {
    try {
      return evaluate();
    } catch (cause) {
      logger.error("flow {flow}: error_response failed: {reason}", {
        flow,
        reason: reasonOf(cause),
        error: cause,
      });
      return undefined;
    }
  };
  const model = models.find(({ when }) =>
    when === undefined || attempt(() => holds(when, asScope(scope)))
  );
  if (model === undefined) return error;
  const { status, body } = model;
  const answer = { status, body: body && attempt(() => evaluateAll(body, scope)) };
  return copy(error, { answer });
}

/** Returns the error of a fallback that failed, else undefined. */
function* writeFallback(
  fallback: FallbackModel,
  failure: FlowError,
  run: Run,
  context: FailureContext,
): Coroutine<unknown> {
  const { flow, logger } = context;
  const { code, ref = null, details = null, cause } = failure;
  const error = {
    code,
    message: cause === undefined ? failure.message : reasonOf(cause),
    ref,
    details,
    step: run.stage,
    ...answerOf(cause),
  };
  run.scope.error = error;
  run.scope.output = run.payload;
  run.scope.payload = run.payload;
  run.each = undefined;
  const amend = fallback.includeError ? (payload: unknown) => withError(payload, error) : undefined;
  const write: typeof writeTo = (connectors, to, input) =>
    writeTo(connectors, to, input, "fallback", amend);
  try {
    if (fallback.each !== undefined) {
      yield* deliverEach(fallback.each, [fallback], run, context, write);
    } else yield* waitFor(write(context.connectors, fallback, run));
    return undefined;
  } catch (second) {
    logger.error("flow {flow}: fallback failed (ref {ref}): {reason}", {
      flow,
      ref,
      reason: placeOf(run, second) + reasonOf(second),
      error: second,
    });
    return second;
  }
}

/** What an API has answered, where that is the failure. */
function answerOf(cause: unknown): { readonly status?: number; readonly body?: unknown } {
  if (!(cause instanceof ConnectorError) || cause.status === undefined) return {};
  return { status: cause.status, body: cause.body ?? null };
}

/** The payload with `error` as a field. A payload that is not an object becomes `data`. */
function withError(payload: unknown, error: unknown): Readonly<Record<string, unknown>> {
  return { ...(isObject(payload) ? payload : { data: payload }), error };
}

function copy(
  error: FlowError,
  changes: { readonly permanent?: boolean; readonly answer?: ErrorAnswer },
): FlowError {
  const { flow, code, message, cause, ref, permanent, outage, status, details, answer } = error;
  return new FlowError(flow, code, {
    message,
    permanent,
    outage,
    ...(cause === undefined ? {} : { cause }),
    ...(ref === undefined ? {} : { ref }),
    ...(status === undefined ? {} : { status }),
    ...(details === undefined ? {} : { details }),
    ...(answer === undefined ? {} : { answer }),
    ...changes,
  });
}
