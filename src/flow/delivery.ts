/** A run's destinations: in order or together, and tried again where they have failed. */
import type { Clock } from "../base/clock.ts";
import { retryDelay } from "../base/retry.ts";
import type { Logger } from "../contract/connector.ts";
import type { DestinationModel, RetryModel } from "../model/mod.ts";
import { cancel } from "./cancel.ts";
import { isPermanent } from "./failure.ts";
import { type Connectors, SKIPPED, writeTo } from "./requests.ts";
import type { Run } from "./run.ts";
import { isPromiseLike, OutOfTime, type Work } from "./work.ts";

/** Stands for the result of a destination that has not succeeded yet. */
const UNSENT = Symbol("unsent");

/** What delivering needs of the flow. */
export interface DeliveryContext {
  readonly flow: string;
  readonly connectors: Connectors;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

/**
 * Delivers to every destination, as often as `retry` says. One that has succeeded is not asked
 * again: only what has failed and what comes after it.
 */
export function* deliver(
  to: readonly DestinationModel[],
  retry: RetryModel,
  run: Run,
  context: DeliveryContext,
): Work<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return yield* deliverOnce(to, run, context);
    } catch (error) {
      if (error instanceof OutOfTime || isPermanent(error) || attempt >= retry.attempts) {
        throw error;
      }
      const delay = retryDelay(attempt, retry, context.random());
      context.logger.warn("flow {flow} tries again in {delay} ms: {reason}", {
        flow: context.flow,
        delay: Math.round(delay),
        reason: error instanceof Error ? error.message : String(error),
      });
      yield* sleep(delay, context.clock);
      run.scope.renewSteps();
    }
  }
}

/** What a flow without destinations has. */
const NO_RESULT = { result: undefined, created: false };

/** What the first destination that was not left out has returned; undefined where there is none. */
export function firstResult(
  to: readonly DestinationModel[],
  { results }: Run,
): { readonly result: unknown; readonly created: boolean } {
  if (to.length === 0) return NO_RESULT;
  const first = results.findIndex((item) => item !== SKIPPED);
  return { result: results[first], created: first >= 0 && to[first].creates };
}

/** What all destinations have returned; null for those that returned nothing or were left out. */
export function allResults({ results }: Run): readonly unknown[] {
  return results.map((item) => item === SKIPPED ? null : item ?? null);
}

function* deliverOnce(
  to: readonly DestinationModel[],
  run: Run,
  context: DeliveryContext,
): Work<void> {
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

/** Delivers to neighbours that are `parallel`; waits for all; gives the position after them. */
function* deliverTogether(
  to: readonly DestinationModel[],
  start: number,
  run: Run,
  { connectors, logger, flow }: DeliveryContext,
): Work<number> {
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
  // One that cannot succeed decides: trying the others again would not save the flow.
  const decisive = failures.find(({ error }) => isPermanent(error)) ?? failures[0];
  for (const { connector, error } of failures) {
    if (error === decisive.error) continue;
    logger.warn("flow {flow}: connector {connector} failed, too: {error}", {
      flow,
      connector,
      error,
    });
  }
  run.stage = decisive.connector;
  throw decisive.error;
}

function* sleep(milliseconds: number, clock: Clock): Work<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(milliseconds, resolve);
  try {
    yield promise;
  } finally {
    // The flow's time may be up before.
    cancel();
  }
}
