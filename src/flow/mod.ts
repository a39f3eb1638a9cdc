/**
 * Flows: an event goes through the stages of one flow to its destinations. Also the schedules that
 * start flows, and the look-ups that a connector makes outside of flows.
 *
 * May import base/, contract/, expression/, model/ and type/.
 */
import type { FlowError } from "../base/errors.ts";
import type { FilterRefusal, FlowEvent, FlowHandler, Outcome } from "../contract/connector.ts";
import type { Ending } from "../contract/dispatch.ts";
import type { FlowObserver, RunObserver } from "../contract/observer.ts";
import { holds } from "../expression/condition.ts";
import type { FlowModel, RejectModel } from "../model/mod.ts";
import type { DataType } from "../type/mod.ts";
import type { FlowContext } from "./context.ts";
import { type Coroutine, runWithDeadline } from "./coroutine.ts";
import { Deadlines } from "../base/deadlines.ts";
import { type Dedupe, dedupeOf } from "./dedupe.ts";
import { deliver, type DeliveryContext } from "./delivery.ts";
import {
  invalid,
  outcomeOf,
  placeOf,
  recover,
  Refusal,
  refused,
  refusedQuietly,
  rejected,
  toFlowError,
  withAnswer,
} from "./error-handling.ts";
import { type Group, groupsOf, keepsTogether } from "./groups.ts";
import { firstResult } from "./results.ts";
import { asScope, build, evaluateAll, Run } from "./run.ts";
import { loggingFor } from "./run-log.ts";
import { runSteps, runUntilRejected } from "./steps.ts";

export type { FlowContext } from "./context.ts";
export { observedBy } from "./observers.ts";
export { traced } from "./trace.ts";

/**
 * One flow at work. Its stages are filter, accept, validate.input, steps and rejects, transform,
 * validate.output, dedupe, destinations and rejects, and response, in this order.
 */
export class Flow implements FlowHandler {
  readonly flow: string;
  readonly filterRefusal?: FilterRefusal;
  readonly public: boolean;
  readonly waits: boolean;
  /** The number of runs that have ended, successful or not. */
  ended = 0;
  /** The number of runs that have begun and not ended. */
  inFlight = 0;
  readonly #model: FlowModel;
  readonly #observer: FlowObserver | undefined;
  readonly #context: FlowContext;
  readonly #delivery: DeliveryContext;
  readonly #groups: readonly Group[];
  /** Those among the steps. */
  readonly #rejects: readonly RejectModel[];
  readonly #deadlines: Deadlines;
  readonly #dedupe: Dedupe | undefined;
  /** True if it has only expressions and types, so that no stage can wait. */
  readonly #isSynchronous: boolean;
  /** True if a promise of its only destination is the last that it waits for, unless that fails. */
  readonly #waitsOnce: boolean;
  /** Runs that have been let in before `run` is called. */
  readonly #accepted = new WeakMap<FlowEvent, Run>();

  /** The context must have all connectors of the model. */
  constructor(model: FlowModel, context: FlowContext) {
    const { name: flow, source, dedupe } = model;
    this.flow = flow;
    if (source.kind === "connector" && source.filterRefusal) {
      this.filterRefusal = source.filterRefusal;
    }
    this.public = source.kind === "connector" && source.public;
    const rejects = model.rejects.filter(({ delivered }) => delivered === 0);
    const early = [model.accept?.steps ?? [], rejects.length > 0 ? model.steps : []];
    this.waits = early.flat().length > 0;
    this.#model = model;
    this.#observer = context.observer;
    this.#context = context;
    this.#delivery = { ...context, flow };
    const keeping = keepsTogether(model);
    this.#groups = groupsOf(model.to, model.rejects.slice(rejects.length), keeping);
    this.#rejects = rejects;
    this.#deadlines = new Deadlines(context.clock, model.timeout);
    this.#isSynchronous = [
      ...[...model.steps, ...rejects, ...model.to],
      ...[model.accept ?? [], dedupe ?? []].flat(),
    ].length === 0;
    const [group] = this.#groups;
    this.#waitsOnce = model.to.length === 1 && dedupe === undefined && group.kind === "plain" &&
      group.rejects.length === 0;
    this.#dedupe = dedupe && dedupeOf(dedupe, model, context, keeping);
  }

  takes(event: FlowEvent): boolean {
    const { source } = this.#model;
    if (source.kind === "schedule" || source.filter === undefined) return true;
    try {
      const takes = holds(source.filter, asScope(new Run(event, this.#context.constants).scope));
      if (!takes) this.#observer?.filtered();
      return takes;
    } catch (cause) {
      const run = this.#begin("run", event);
      const error = toFlowError(this.flow, cause, loggingFor(this.#context, run));
      this.#end(run, error);
      throw error;
    }
  }

  accept(event: FlowEvent): void | Promise<void> {
    if (this.#model.accept === undefined && this.#rejects.length === 0) return;
    return runWithDeadline(this.#acceptEarly(this.#begin("accept", event)), this.#deadlines);
  }

  run(event: FlowEvent): Outcome | Promise<Outcome> {
    if (this.#isSynchronous) return this.#answer(event);
    const accepted = this.#accepted.get(event);
    if (accepted !== undefined) {
      this.inFlight++;
      accepted.observer = this.#observe("run", event);
    }
    const serving = this.#serve(accepted ?? this.#begin("run", event), accepted !== undefined);
    return runWithDeadline(serving, this.#deadlines, this.#waitsOnce);
  }

  /** Its schedule has skipped a run. */
  skipped(): void {
    this.#observer?.skipped?.();
  }

  /** Stops the timer. Runs in flight no longer time out. */
  close(): void {
    this.#deadlines.close();
  }

  #begin(phase: "accept" | "run", event: FlowEvent): Run {
    this.inFlight++;
    return new Run(event, this.#context.constants, this.#observe(phase, event));
  }

  #observe(phase: "accept" | "run", event: FlowEvent): RunObserver | undefined {
    const observer = this.#observer?.begin(phase, event);
    if (phase === "run") this.#context.begun?.(event, observer?.traceId);
    return observer;
  }

  #end(run: Run, ending: Ending | undefined): void {
    this.ended++;
    this.inFlight--;
    // A fallback may have taken it.
    if (ending instanceof Error && run.outcome === "ok") run.outcome = outcomeOf(ending);
    run.observer?.ended(run.outcome, ending);
  }

  /** With a `reject` among the steps, they all run before the source lets the event in. */
  *#acceptEarly(run: Run): Coroutine<void> {
    try {
      if (!(yield* this.#accepts(run))) throw rejected(this.flow, true);
      if (this.#rejects.length > 0) {
        const reject = yield* this.#rejection(run);
        if (reject !== undefined) throw refused(this.flow, reject);
      }
      run.observer?.ended(undefined);
      this.inFlight--;
      this.#accepted.set(run.event, run);
    } catch (cause) {
      const context = loggingFor(this.#delivery, run);
      const error = toFlowError(this.flow, cause, context, placeOf(run, cause));
      this.#end(run, error);
      run.scope.renewSteps();
      throw withAnswer(error, run, this.#model.errorHandling.errorResponses, context);
    }
  }

  #answer(event: FlowEvent): Outcome | Promise<Outcome> {
    const run = this.#begin("run", event);
    try {
      const { validate } = this.#model;
      if (validate.input !== undefined) this.#validate(validate.input, "validate.input", run);
      this.#shape(run);
      const outcome = this.#respond(run);
      this.#end(run, outcome);
      return outcome;
    } catch (cause) {
      return runWithDeadline(this.#recover(cause, run), this.#deadlines);
    }
  }

  *#serve(run: Run, accepted: boolean): Coroutine<Outcome> {
    let outcome: Outcome;
    try {
      outcome = yield* this.#stages(run, accepted);
    } catch (cause) {
      return yield* this.#recover(cause, run);
    }
    this.#end(run, outcome);
    return outcome;
  }

  *#recover(cause: unknown, run: Run): Coroutine<Outcome> {
    let ending: Ending | undefined;
    try {
      const refusal = cause instanceof Refusal ? cause.reject : undefined;
      if (refusal?.onReject === "ack") return ending = refusedQuietly(run);
      const failure = refusal === undefined ? cause : refused(this.flow, refusal);
      const context = loggingFor(this.#delivery, run);
      const error = toFlowError(this.flow, failure, context, placeOf(run, failure));
      return ending = yield* recover(error, run, this.#model.errorHandling, context);
    } catch (error) {
      ending = error as FlowError;
      throw error;
    } finally {
      this.#end(run, ending);
    }
  }

  *#stages(run: Run, accepted: boolean): Coroutine<Outcome> {
    const { accept, validate, steps, to, errorHandling } = this.#model;
    if (accept !== undefined && !accepted && !(yield* this.#accepts(run))) {
      if (accept.onReject === "ack") return refusedQuietly(run);
      throw rejected(this.flow, accept.onReject === "reject");
    }
    if (this.#rejects.length === 0) {
      if (validate.input !== undefined) this.#validate(validate.input, "validate.input", run);
      if (steps.length > 0) yield* runSteps(steps, run, this.#context);
    } else if (!accepted) {
      const reject = yield* this.#rejection(run);
      if (reject?.onReject === "ack") return refusedQuietly(run);
      if (reject !== undefined) throw refused(this.flow, reject);
    }
    this.#shape(run);
    const delivery = (keep?: DeliveryContext["keep"]) => {
      const context = keep === undefined ? this.#delivery : { ...this.#delivery, keep };
      return deliver(this.#groups, errorHandling.retry, run, context);
    };
    if (this.#dedupe === undefined) {
      if (to.length > 0) yield* delivery();
    } else {
      run.stage = "dedupe";
      return yield* this.#dedupe.once(run, delivery, () => this.#respond(run));
    }
    return this.#respond(run);
  }

  *#accepts(run: Run): Coroutine<boolean> {
    const { accept } = this.#model;
    if (accept === undefined) return true;
    run.stage = "accept";
    if (accept.steps.length > 0) yield* runSteps(accept.steps, run, this.#context);
    run.stage = "accept";
    return holds(accept.when, asScope(run.scope));
  }

  /** Checks the input and runs the steps. Returns the `reject` that refuses the event. */
  *#rejection(run: Run): Coroutine<RejectModel | undefined> {
    const { validate, steps } = this.#model;
    if (validate.input !== undefined) this.#validate(validate.input, "validate.input", run);
    return yield* runUntilRejected(steps, this.#rejects, run, this.#context);
  }

  #validate(type: DataType, stage: string, run: Run): void {
    run.stage = stage;
    const text = stage === "validate.input" ? run.event.textFields : undefined;
    const checked = type.check(run.payload, text);
    if ("violations" in checked) throw invalid(this.flow, type.name, checked.violations);
    if (checked.value === run.payload) return;
    if (stage === "validate.input") run.scope.fill(checked.value, run.payload);
    run.payload = checked.value;
  }

  /** Sets the payload for the destinations. */
  #shape(run: Run): void {
    const { transform, validate } = this.#model;
    if (transform !== undefined) {
      run.stage = "transform";
      run.payload = build(transform, run.payload, run.scope);
    }
    if (validate.output !== undefined) this.#validate(validate.output, "validate.output", run);
    run.scope.output = run.payload;
    run.scope.payload = run.payload;
  }

  #respond(run: Run): Outcome {
    const { response, to } = this.#model;
    const { result, created } = firstResult(to, run.results);
    if (response === undefined) return { response: undefined, result, created };
    run.stage = "response";
    const { scope } = run;
    scope.output = to.length === 0 ? run.payload : result ?? null;
    return { response: { data: evaluateAll(response, scope) }, result, created };
  }
}
