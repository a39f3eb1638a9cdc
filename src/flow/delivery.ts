/** Delivers a run to its destinations: in order or in parallel, with retries. */
import { messageOf } from "../base/shown.ts";
import type { Clock } from "../base/clock.ts";
import { isPromiseLike } from "../base/promise-like.ts";
import { retryDelay } from "../base/retry.ts";
import type { Transaction } from "../contract/connector.ts";
import type { RetryModel } from "../model/mod.ts";
import { type Coroutine, FlowTimeout } from "./coroutine.ts";
import { type FailureContext, isPermanent, Refusal } from "./error-handling.ts";
import { deliverEach, placeIn } from "./each.ts";
import type { Group } from "./groups.ts";
import { deliverTogether } from "./parallel.ts";
import { writeTo } from "./requests.ts";
import { shown } from "./results.ts";
import type { Run } from "./run.ts";
import { loggingFor } from "./run-log.ts";
import { refuses } from "./steps.ts";
import { deliverAtomically } from "./transaction.ts";

/** What delivery needs from the flow. */
export interface DeliveryContext extends FailureContext {
  /** Returns a number from 0 to below 1. */
  readonly random: () => number;
  /** Does the last thing in a transaction: keeps the key of `dedupe`. */
  readonly keep?: (transaction: Transaction) => Coroutine<void>;
}

/**
 * Delivers to all destinations, with as many tries as `retry` allows. A retry continues where the
 * last try failed: destinations that have succeeded are not written to again.
 */
export function* deliver(
  groups: readonly Group[],
  retry: RetryModel,
  run: Run,
  context: DeliveryContext,
): Coroutine<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return yield* deliverOnce(groups, run, context);
    } catch (error) {
      if (error instanceof FlowTimeout || isPermanent(error) || attempt >= retry.attempts) {
        throw error;
      }
      run.observer?.retried();
      const delay = retryDelay(attempt, retry, context.random());
      loggingFor(context, run).logger.warn("flow {flow} failed; retrying in {delay} ms: {reason}", {
        flow: context.flow,
        delay: Math.round(delay),
        reason: placeIn(run) + messageOf(error),
      });
      yield* sleep(delay, context.clock);
      run.scope.renewSteps();
    }
  }
}

function* deliverOnce(
  groups: readonly Group[],
  run: Run,
  context: DeliveryContext,
): Coroutine<void> {
  // An iterator would cost a plain destination a tenth of its time.
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i];
    // An earlier try has come further.
    if (run.scope.delivered > group.start) continue;
    if (group.kind === "plain") {
      const to = group.members[0];
      run.stage = to.connector;
      const result = writeTo(context.connectors, to, run);
      run.results[group.start] = isPromiseLike(result) ? yield result : result;
    } else if (group.kind === "parallel") yield* deliverTogether(group, run, context);
    else if (group.kind === "atomic") yield* deliverInTransaction(group, run, context);
    else yield* deliverList(group, run, context);
    run.scope.delivered = group.end;
    if (group.named) addResults(group, run);
    if (group.rejects.length > 0) askRejects(group, run);
  }
}

function askRejects({ rejects }: Group, run: Run): void {
  const reject = rejects.find((one) => refuses(one, run));
  if (reject !== undefined) throw new Refusal(reject);
}

/** From now on the results of a group can be seen by name. */
function addResults({ start, members }: Group, { scope, results }: Run): void {
  for (let i = 0; i < members.length; i++) {
    const { name } = members[i];
    if (name !== undefined) scope.addResult(name, shown(results[start + i]));
  }
}

function deliverInTransaction(
  group: Group,
  run: Run,
  context: DeliveryContext,
): Coroutine<void> {
  return deliverAtomically(
    group,
    run,
    context.connectors,
    (connectors, transaction) => deliverWithin(group, run, { ...context, connectors }, transaction),
  );
}

function* deliverWithin(
  group: Group,
  run: Run,
  context: DeliveryContext,
  transaction: Transaction,
): Coroutine<void> {
  yield* deliverOnce(group.within, run, context);
  if (context.keep !== undefined) yield* context.keep(transaction);
}

function* deliverList(
  { start, members }: Group,
  run: Run,
  context: DeliveryContext,
): Coroutine<void> {
  const results = yield* deliverEach(members[0].each!, members, run, context);
  run.results.splice(start, members.length, ...results);
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
