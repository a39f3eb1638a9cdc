/** Runs the look-ups of connectors: steps that stand in no flow. */
import type { Clock } from "../base/clock.ts";
import type { StepResults } from "../contract/connector.ts";
import type { Scope } from "../expression/mod.ts";
import type { LookupModel } from "../model/mod.ts";
import { type Connectors, runStep } from "./requests.ts";
import { Dependencies } from "./dependencies.ts";
import { ResultCache, type StepCache } from "./result-cache.ts";
import { type Work, workThrough } from "./work.ts";

/** The look-ups of all connectors of one runtime, and the results that are kept for them. */
export class Lookups {
  readonly #connectors: Connectors;
  readonly #clock: Clock;
  readonly #caches = new Map<LookupModel, StepCache>();

  /** The connectors must all be there when the first look-up is run. */
  constructor(connectors: Connectors, clock: Clock) {
    this.#connectors = connectors;
    this.#clock = clock;
  }

  /** Runs steps in their order; gives their results by name. */
  run(
    steps: readonly LookupModel[],
    scope: Scope,
    payload: unknown,
  ): StepResults | Promise<StepResults> {
    return workThrough(this.#results(steps, scope, payload));
  }

  *#results(steps: readonly LookupModel[], scope: Scope, payload: unknown): Work<StepResults> {
    // Without a prototype, so that a step may have any name.
    const results = Object.create(null) as Record<string, unknown>;
    const asker = { scope: { ...scope, step: results }, payload, event: undefined };
    for (const step of steps) {
      const cache = this.#cacheOf(step);
      results[step.name] = yield* runStep(this.#connectors, step, asker, this.#clock, cache);
    }
    return results;
  }

  #cacheOf(step: LookupModel): StepCache | undefined {
    if (step.cache === undefined) return undefined;
    let cache = this.#caches.get(step);
    if (cache === undefined) {
      const results = new ResultCache(step.cache, this.#clock);
      cache = { results, dependencies: new Dependencies(step.options) };
      this.#caches.set(step, cache);
    }
    return cache;
  }
}
