/** What a `to` or a `step` asks of its connector. */
import type { Clock } from "../base/clock.ts";
import { holds } from "../expression/condition.ts";
import type { Cancellable, Connector, FlowEvent } from "../contract/connector.ts";
import { ConnectorError, ExpressionError, TimeoutError } from "../base/errors.ts";
import { withTimeout } from "../base/timeout.ts";
import type { Scope } from "../expression/mod.ts";
import type { DestinationModel, RequestModel, StepModel } from "../model/mod.ts";
import { cancel } from "./cancel.ts";
import type { StepCache } from "./result-cache.ts";
import { asScope, type Run } from "./run.ts";
import { reshape } from "./transform.ts";
import { isPromiseLike, OutOfTime, settled, type Work } from "./work.ts";

/** Connectors by name. */
export type Connectors = ReadonlyMap<string, Connector>;

/** Stands for the result of a destination that its `when` has left out. */
export const SKIPPED: unique symbol = Symbol("skipped");

/**
 * Delivers a run's payload to one destination; gives its result, or `SKIPPED`. `amend` has the last
 * word on the payload.
 */
export function writeTo(
  connectors: Connectors,
  to: DestinationModel,
  run: Run,
  amend?: (payload: unknown) => unknown,
): unknown {
  const { scope } = run;
  if (to.when !== undefined && !holds(to.when, asScope(scope))) return SKIPPED;
  const { event } = run;
  if (to.transform === undefined && amend === undefined) {
    const { payload } = run;
    const asker = { payload, scope: asScope(scope), event };
    return write(connectors, to, evaluateTarget(to.target, asker.scope), asker, to.resultUsed);
  }
  const shaped = to.transform === undefined ? run.payload : reshape(to.transform, scope);
  const payload = amend === undefined ? shaped : amend(shaped);
  const asker = { payload, scope: asScope(scope.withOutput(payload)), event };
  return write(connectors, to, evaluateTarget(to.target, asker.scope), asker, to.resultUsed);
}

/** Who asks: what its expressions see, and what it sends where a step has no `params`. */
export interface Asker {
  readonly scope: Scope;
  readonly payload: unknown;
  readonly event: FlowEvent | undefined;
}

/** Runs a step; gives its result, which `cache` may know. */
export function* runStep(
  connectors: Connectors,
  step: StepModel,
  asker: Asker,
  clock: Clock,
  cache?: StepCache,
): Work<unknown> {
  const { scope, event } = asker;
  if (step.when !== undefined && !holds(step.when, scope)) return step.default;
  try {
    const payload = step.params === undefined ? asker.payload : Object.fromEntries(
      Object.entries(step.params).map(([name, value]) => [name, value.evaluate(scope)]),
    );
    const target = evaluateTarget(step.target, scope);
    // A result that is shared must not depend on anything that its key does not contain.
    const seen = cache === undefined ? scope : cache.dependencies.narrow(scope);
    const ask = (): unknown => {
      const result = write(connectors, step, target, { payload, scope: seen, event });
      return step.timeout !== undefined && isPromiseLike(result)
        ? within(step.timeout, result, clock)
        : result;
    };
    const value = yield* settled(
      cache === undefined
        ? ask()
        : cache.results.get(cache.dependencies.keyOf(seen, target, payload), ask),
    );
    return value ?? step.default;
  } catch (error) {
    // The flow's own time is up: that is no failure of the step.
    if (step.onError === "fail" || error instanceof OutOfTime) throw error;
    return step.default;
  }
}

function write(
  connectors: Connectors,
  { connector, operation, options }: RequestModel,
  target: string | undefined,
  { payload, scope, event }: Asker,
  resultUsed?: boolean,
): unknown {
  const destination = connectors.get(connector);
  if (destination?.write === undefined) {
    throw new ConnectorError(connector, "takes no writes", { permanent: true });
  }
  return destination.write({
    operation,
    target,
    payload,
    options,
    scope,
    event,
    resultUsed,
  });
}

/** The promise's value, or `StepTimeout` after `timeout` milliseconds. */
function within(timeout: number, pending: PromiseLike<unknown>, clock: Clock): Cancellable {
  const late = (): never => {
    cancel(pending);
    throw new StepTimeout(timeout);
  };
  const ended = withTimeout(pending, timeout, late, clock);
  return Object.assign(ended, { cancel: () => cancel(pending) });
}

/** A step took longer than its `timeout`. */
export class StepTimeout extends TimeoutError {
  override readonly name = "StepTimeout";

  /** `timeout` is in milliseconds. */
  constructor(timeout: number) {
    super(`took longer than ${timeout} ms`);
  }
}

/** A name is text or a number; anything else must never become a room called "null". */
function evaluateTarget(target: RequestModel["target"], scope: Scope): string | undefined {
  if (target === undefined || typeof target === "string") return target;
  const value = target.evaluate(scope);
  if (typeof value === "string" || typeof value === "number") return String(value);
  const kind = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  const message = `the target "${target.source}" is ${kind}, not a name`;
  throw new ExpressionError(target.source, message);
}
