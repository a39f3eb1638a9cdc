/** The steps of a flow, and the `reject` blocks between them. */
import type { Clock } from "../base/clock.ts";
import { holds } from "../expression/condition.ts";
import type { RejectModel, StepModel } from "../model/mod.ts";
import type { Coroutine } from "./coroutine.ts";
import { type Connectors, runStep } from "./requests.ts";
import { asScope, type Run } from "./run.ts";

/** What steps need from the flow. */
export interface StepContext {
  readonly connectors: Connectors;
  readonly clock: Clock;
}

/** Runs steps in their order; each one sees the results of those before it. */
export function* runSteps(
  steps: readonly StepModel[],
  run: Run,
  { connectors, clock }: StepContext,
): Coroutine<void> {
  // Without a prototype, since a step may have any name.
  const results = run.scope.step ??= Object.create(null) as Record<string, unknown>;
  const { payload, event, observer } = run;
  const input = { scope: asScope(run.scope), payload, event, observer };
  for (const step of steps) {
    run.stage = step.name;
    results[step.name] = yield* runStep(connectors, step, input, clock);
  }
}

/**
 * Runs steps as far as the `reject` blocks between them let the event pass. Returns the one that
 * refuses it, if one does.
 */
export function* runUntilRejected(
  steps: readonly StepModel[],
  rejects: readonly RejectModel[],
  run: Run,
  context: StepContext,
): Coroutine<RejectModel | undefined> {
  let done = 0;
  for (const reject of rejects) {
    if (reject.after > done) yield* runSteps(steps.slice(done, reject.after), run, context);
    done = reject.after;
    if (refuses(reject, run)) return reject;
  }
  if (steps.length > done) yield* runSteps(steps.slice(done), run, context);
  return undefined;
}

/** Whether a `reject` is true for a run at this place. */
export function refuses({ when }: RejectModel, run: Run): boolean {
  run.stage = "reject";
  return holds(when, asScope(run.scope));
}
