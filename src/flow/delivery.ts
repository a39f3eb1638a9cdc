/** Delivers a run to its destinations: in order or in parallel, with retries. */
import { messageOf } from "../base/shown.ts";
import type { Clock } from "../base/clock.ts";
import { retryDelay } from "../base/retry.ts";
import type { DestinationModel, RetryModel } from "../model/mod.ts";
import { cancel, type Coroutine, FlowTimeout, isPromiseLike } from "./coroutine.ts";
import { type FailureContext, isPermanent } from "./error-handling.ts";
import { SKIPPED, writeTo } from "./requests.ts";
import type { Run } from "./run.ts";

/** The result of a destination that has not succeeded yet. */
const UNSENT = Symbol("unsent");

/** What delivery needs from the flow. */
export interface DeliveryContext extends FailureContext {
  readonly clock: Clock;
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
}

/**
 * Delivers to all destinations, with as many tries as `retry` allows. A retry continues where the
 * last try failed: destinations that have succeeded are not written to again.
 */
export function* deliver(
  to: readonly DestinationModel[],
  retry: RetryModel,
  run: Run,
  context: DeliveryContext,
): Coroutine<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return yield* deliverOnce(to, run, context);
    } catch (error) {
      if (error instanceof FlowTimeout || isPermanent(error) || attempt >= retry.attempts) {
        throw error;
      }
      const delay = retryDelay(attempt, retry, context.random());
      context.logger.warn("flow {flow} failed; retrying in {delay} ms: {reason}", {
        flow: context.flow,
        delay: Math.round(delay),
        reason: messageOf(error),
      });
      yield* sleep(delay, context.clock);
      run.scope.renewSteps();
    }
  }
}

/** The result of a flow without destinations. */
const NO_RESULT = { result: undefined, created: false };

/** The result of the first destination that was not skipped; undefined if there is none. */
export function firstResult(
  to: readonly DestinationModel[],
  { results }: Run,
): { readonly result: unknown; readonly created: boolean } {
  if (to.length === 0) return NO_RESULT;
  const first = results.findIndex((item) => item !== SKIPPED);
  return { result: results[first], created: first >= 0 && to[first].creates };
}

const NO_RESULTS: readonly unknown[] = [];

/** The results of all destinations; null for those that returned nothing or were skipped. */
export function allResults({ results }: Run): readonly unknown[] {
  if (results.length === 0) return NO_RESULTS;
  return results.map((item) => item === SKIPPED ? null : item ?? null);
}

function* deliverOnce(
  to: readonly DestinationModel[],
  run: Run,
  context: DeliveryContext,
): Coroutine<void> {
  const { results } = run;
  let position = 0;
  while (position < to.length) {
    if (to[position].parallel) {
      position = yield* deliverTogether(to, position, run, context);
      continue;
    }
    if (results.length === position || results[position] === UNSENT) {
      run.stage = to[position].connector;
      results[position] = UNSENT;
      const result = writeTo(context.connectors, to[position], run);
      results[position] = isPromiseLike(result) ? yield result : result;
    }
    position++;
  }
}

/** Delivers to adjacent `parallel` destinations and returns the position after them. */
function* deliverTogether(
  to: readonly DestinationModel[],
  start: number,
  run: Run,
  { connectors, logger, flow }: DeliveryContext,
): Coroutine<number> {
  const { results } = run;
  const failures: { readonly connector: string; readonly error: unknown }[] = [];
  const waiting: PromiseLike<void>[] = [];
  const pending: unknown[] = [];
  let end = start;
  for (; end < to.length && to[end].parallel; end++) {
    const position = end;
    const { connector } = to[position];
    if (results.length > position && results[position] !== UNSENT) continue;
    results[position] = UNSENT;
    const failed = (error: unknown): void => void failures.push({ connector, error });
    try {
      const result = writeTo(connectors, to[position], run);
      if (isPromiseLike(result)) {
        pending.push(result);
        waiting.push(result.then((value) => void (results[position] = value), failed));
      } else results[position] = result;
    } catch (error) {
      failed(error);
    }
  }
  if (waiting.length > 0) {
    yield Object.assign(Promise.all(waiting), { cancel: () => pending.forEach(cancel) });
  }
  if (failures.length === 0) return end;
  // A permanent failure decides: retrying the others would not save the flow.
  const decisive = failures.find(({ error }) => isPermanent(error)) ?? failures[0];
  for (const { connector, error } of failures) {
    if (error === decisive.error) continue;
    logger.warn("flow {flow}: connector {connector} failed as well: {error}", {
      flow,
      connector,
      error,
    });
  }
  run.stage = decisive.connector;
  throw decisive.error;
}

function* sleep(milliseconds: number, clock: Clock): Coroutine<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(milliseconds, resolve);
  try {
    yield promise;
  } finally {
    // The flow may time out first.
    cancel();
  }
}
