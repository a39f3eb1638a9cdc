/** Delivers to destinations with `each`: to all of them for one element of a list after another. */
import type { Clock } from "../base/clock.ts";
import { ExpressionError } from "../base/errors.ts";
import { isPromiseLike } from "../base/promise-like.ts";
import { kindName } from "../base/shown.ts";
import { METER } from "../expression/mod.ts";
import type { DestinationModel, EachModel } from "../model/mod.ts";
import type { Coroutine } from "./coroutine.ts";
import { Pace } from "./pace.ts";
import { type Connectors, writeTo } from "./requests.ts";
import { ListResult, shown } from "./results.ts";
import { asScope, type Run, type RunScope } from "./run.ts";

/** What a list is delivered with. */
export interface EachContext {
  readonly connectors: Connectors;
  readonly clock: Clock;
}

/**
 * Delivers to neighbours that have the same `each` and returns their results. `run.each` says how far
 * it has come: after a failure another call continues with the same element and destination. The
 * list is evaluated by the first call.
 */
export function* deliverEach(
  each: EachModel,
  members: readonly DestinationModel[],
  run: Run,
  { connectors, clock }: EachContext,
  write: typeof writeTo = writeTo,
): Coroutine<readonly ListResult[]> {
  run.stage = members[0].connector;
  const progress = run.each ??= {
    list: listOf(each, run.scope),
    index: 0,
    member: 0,
    scope: undefined,
    results: members.map(() => new ListResult()),
  };
  const { list, results } = progress;
  const pace = new Pace(clock);
  while (progress.index < list.length) {
    const scope = progress.scope ??= run.scope.withItem(list[progress.index], progress.index);
    while (progress.member < members.length) {
      const to = members[progress.member];
      run.stage = to.connector;
      // A retry has renewed the budget of the run.
      scope[METER] = run.scope[METER];
      const { event, observer } = run;
      const written = write(connectors, to, { scope, event, observer });
      const result = isPromiseLike(written) ? yield written : written;
      results[progress.member].add(result, to.resultUsed !== false);
      if (to.name !== undefined) scope.addResult(to.name, shown(result));
      progress.member++;
      if (pace.count(scope[METER])) {
        yield pace.pause();
        // Other events have been served in the meantime.
        run.scope.renewSteps();
        pace.restart();
      }
    }
    progress.index++;
    progress.member = 0;
    progress.scope = undefined;
  }
  run.each = undefined;
  return results;
}

/** Where in its list a run has stopped, to precede the reason in a log; empty without a list. */
export function placeIn({ each }: Run): string {
  return each === undefined ? "" : `at index ${each.index}: `;
}

function listOf({ list, place }: EachModel, scope: RunScope): readonly unknown[] {
  const value = list.evaluate(asScope(scope)) ?? [];
  if (Array.isArray(value)) return value;
  const message = `each needs a list, and "${list.source}" is ${kindName(value)}`;
  throw new ExpressionError(list.source, message, { place });
}
