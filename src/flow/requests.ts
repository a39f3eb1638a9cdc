/** The requests that flows make to connectors: those of a `to`, of a step, of a look-up. */
import { kindName } from "../base/shown.ts";
import type { Clock } from "../base/clock.ts";
import { ConnectorError, ExpressionError, TimeoutError } from "../base/errors.ts";
import { isPromiseLike } from "../base/promise-like.ts";
import { withTimeout } from "../base/timeout.ts";
import type { Cancellable, Connector, FlowEvent, StepResults } from "../contract/connector.ts";
import type { ObservedRequest, RequestObserver, RunObserver } from "../contract/observer.ts";
import { holds } from "../expression/condition.ts";
import type { Scope } from "../expression/mod.ts";
import type { DestinationModel, LookupModel, RequestModel, StepModel } from "../model/mod.ts";
import { StepCache } from "./cache.ts";
import {
  cancel,
  type Coroutine,
  doing,
  FlowTimeout,
  runWithoutDeadline,
  waitFor,
} from "./coroutine.ts";
import { SKIPPED } from "./results.ts";
import { asScope, reshape, type Run } from "./run.ts";

/** Connectors by name. */
export type Connectors = ReadonlyMap<string, Connector>;

/** A step's `timeout` has passed. */
export class StepTimeout extends TimeoutError {
  override readonly name = "StepTimeout";

  /** `timeout` is in milliseconds; `doing` is the end of the sentence. */
  constructor(timeout: number, doing: string) {
    super(`timed out after ${timeout} ms${doing}`);
  }
}

/** The variables of a request's expressions, and what it sends. */
export interface RequestInput {
  readonly scope: Scope;
  /** What is sent; a step with `params` sends those. */
  readonly payload: unknown;
  readonly event: FlowEvent | undefined;
  /** Undefined where nothing watches. */
  readonly observer?: RunObserver | undefined;
}

/** Changes what a destination gets, last of all. */
export type Amend = (payload: unknown) => unknown;

/**
 * Writes the `output` of a scope to one destination and returns the result, or `SKIPPED`. `amend`
 * may change what is written.
 */
export function writeTo(
  connectors: Connectors,
  to: DestinationModel,
  { scope, event, observer }: Pick<Run, "scope" | "event" | "observer">,
  kind: "destination" | "fallback" = "destination",
  amend?: Amend,
): unknown {
  if (to.when !== undefined && !holds(to.when, asScope(scope))) return SKIPPED;
  const { output } = scope;
  if (to.transform === undefined && amend === undefined) {
    const input = { payload: output, scope: asScope(scope), event, observer };
    return write(connectors, to, kind, evaluateTarget(to.target, input.scope), input);
  }
  const shaped = to.transform === undefined ? output : reshape(to.transform, scope);
  const payload = amend === undefined ? shaped : amend(shaped);
  const input = { payload, scope: asScope(scope.withOutput(payload)), event, observer };
  return write(connectors, to, kind, evaluateTarget(to.target, input.scope), input);
}

/** Runs a step and returns its result, from `cache` if it is there. */
export function* runStep(
  connectors: Connectors,
  step: StepModel,
  input: RequestInput,
  clock: Clock,
  cache?: StepCache,
): Coroutine<unknown> {
  const { scope, event, observer } = input;
  if (step.when !== undefined && !holds(step.when, scope)) return step.default;
  try {
    const payload = step.params === undefined ? input.payload : Object.fromEntries(
      Object.entries(step.params).map(([name, value]) => [name, value.evaluate(scope)]),
    );
    const target = evaluateTarget(step.target, scope);
    const request = (scope: Scope): unknown => {
      const result = write(connectors, step, "step", target, { payload, scope, event, observer });
      return step.timeout !== undefined && isPromiseLike(result)
        ? within(step.timeout, result, clock)
        : result;
    };
    const value = yield* waitFor(
      cache === undefined ? request(scope) : cache.get(scope, target, payload, request),
    );
    return value ?? step.default;
  } catch (error) {
    // The timeout of the whole flow is not a failure of the step.
    if (step.onError === "fail" || error instanceof FlowTimeout) throw error;
    step.skipped?.();
    return step.default;
  }
}

/** Runs the look-ups of connectors, which are steps outside of flows, and caches their results. */
export class Lookups {
  readonly #connectors: Connectors;
  readonly #clock: Clock;
  readonly #caches = new Map<LookupModel, StepCache>();

  /** The connectors may be added later, before the first look-up. */
  constructor(connectors: Connectors, clock: Clock) {
    this.#connectors = connectors;
    this.#clock = clock;
  }

  /** Runs steps in their order and returns their results by name. Nothing watches by default. */
  run(
    steps: readonly LookupModel[],
    scope: Scope,
    payload: unknown,
    observer?: RunObserver,
  ): StepResults | Promise<StepResults> {
    const results = this.#results(steps, scope, payload, observer);
    return runWithoutDeadline(observer === undefined ? results : watched(results, observer));
  }

  *#results(
    steps: readonly LookupModel[],
    scope: Scope,
    payload: unknown,
    observer: RunObserver | undefined,
  ): Coroutine<StepResults> {
    // Without a prototype, since a step may have any name.
    const results = Object.create(null) as Record<string, unknown>;
    const input = { scope: { ...scope, step: results }, payload, event: undefined, observer };
    for (const step of steps) {
      const cache = this.#cacheOf(step);
      results[step.name] = yield* runStep(this.#connectors, step, input, this.#clock, cache);
    }
    return results;
  }

  #cacheOf(step: LookupModel): StepCache | undefined {
    if (step.cache === undefined) return undefined;
    let cache = this.#caches.get(step);
    if (cache === undefined) {
      cache = new StepCache(step.cache, step.options, this.#clock);
      this.#caches.set(step, cache);
    }
    return cache;
  }
}

/** Tells how look-ups end. */
function* watched(results: Coroutine<StepResults>, observer: RunObserver): Coroutine<StepResults> {
  try {
    const found = yield* results;
    observer.ended("ok");
    return found;
  } catch (error) {
    observer.ended("failed");
    throw error;
  }
}

function write(
  connectors: Connectors,
  model: RequestModel & Partial<Pick<DestinationModel, "name" | "resultUsed">>,
  kind: ObservedRequest["kind"],
  target: string | undefined,
  { payload, scope, event, observer }: RequestInput,
): unknown {
  const { name, connector, operation, options, everyInstance, resultUsed } = model;
  const destination = connectors.get(connector);
  if (destination?.write === undefined) {
    throw new ConnectorError(connector, "does not support writes", { permanent: true });
  }
  const watching = observer?.request({ kind, name, connector, operation, target, block: model });
  const request = {
    operation,
    target,
    payload,
    options,
    scope,
    event,
    resultUsed,
    ...(everyInstance && { everyInstance }),
    ...(watching?.traceparent && { traceparent: watching.traceparent }),
    ...(watching?.tracestate && { tracestate: watching.tracestate }),
  };
  return watching === undefined
    ? destination.write(request)
    : watch(watching, () => destination.write?.(request));
}

/** Tells how a request ends, and returns what it returns: a promise may have more than `then`. */
function watch(watching: RequestObserver, act: () => unknown): unknown {
  let result: unknown;
  try {
    result = watching.within === undefined ? act() : watching.within(act);
  } catch (error) {
    watching.ended(error);
    throw error;
  }
  if (isPromiseLike(result)) {
    result.then(() => watching.ended(), (error) => watching.ended(error ?? "failed"));
  } else watching.ended();
  return result;
}

/** The promise's value, or a `StepTimeout` after `timeout` milliseconds. */
function within(timeout: number, pending: PromiseLike<unknown>, clock: Clock): Cancellable {
  const late = (): never => {
    const timedOut = new StepTimeout(timeout, doing(pending));
    cancel(pending);
    throw timedOut;
  };
  const ended = withTimeout(pending, timeout, late, clock);
  const { doing: describe } = pending as Partial<Cancellable>;
  return Object.assign(ended, {
    cancel: () => cancel(pending),
    doing: () => describe?.call(pending),
  });
}

/** A target is text or a number. Anything else would become a room called "null" or so. */
function evaluateTarget(target: RequestModel["target"], scope: Scope): string | undefined {
  if (target === undefined || typeof target === "string") return target;
  const value = target.evaluate(scope);
  if (typeof value === "string" || typeof value === "number") return String(value);
  const message = `the target "${target.source}" is ${kindName(value)}, not a name`;
  throw new ExpressionError(target.source, message);
}
