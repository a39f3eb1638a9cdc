/**
 * Flows: an event goes through the stages of one flow to its destinations. Also the schedules that
 * start flows, and the look-ups that a connector makes outside of flows.
 *
 * May import base/, contract/, expression/, model/ and type/.
 */
import type { Clock } from "../base/clock.ts";
import type { Cluster } from "../contract/cluster.ts";
import type {
  FilterRefusal,
  FlowEvent,
  FlowHandler,
  Logger,
  Outcome,
} from "../contract/connector.ts";
import { holds } from "../expression/condition.ts";
import type { FlowModel, RejectModel } from "../model/mod.ts";
import type { DataType } from "../type/mod.ts";
import { type Coroutine, runWithDeadline } from "./coroutine.ts";
import { Deadlines } from "./deadlines.ts";
import { Dedupe, MemoryDedupeStore } from "./dedupe.ts";
import { deliver, type DeliveryContext } from "./delivery.ts";
import { placeIn } from "./each.ts";
import {
  HANDLED,
  invalid,
  recover,
  Refusal,
  refused,
  rejected,
  toFlowError,
  withAnswer,
} from "./error-handling.ts";
import { type Group, groupsOf } from "./groups.ts";
import type { Connectors } from "./requests.ts";
import { firstResult } from "./results.ts";
import { asScope, build, evaluateAll, Run } from "./run.ts";
import { runSteps, runUntilRejected } from "./steps.ts";

export { traced } from "./trace.ts";

/** What a flow needs beside its model. */
export interface FlowContext {
  /** By name. */
  readonly connectors: Connectors;
  /** Values for every expression. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Logs every failure. */
  readonly logger: Logger;
  /** For timeouts, delays and the age of keys. */
  readonly clock: Clock;
  /** Returns a number from 0 to below 1, for the jitter of delays. */
  readonly random: () => number;
  /** Makes the references of errors; random ones if it is absent. */
  readonly newId?: (() => string) | undefined;
  /** The other workers of the service; undefined without any. */
  readonly cluster?: Cluster | undefined;
}

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
  readonly #model: FlowModel;
  readonly #context: FlowContext;
  readonly #delivery: DeliveryContext;
  readonly #groups: readonly Group[];
  /** Those among the steps. */
  readonly #rejects: readonly RejectModel[];
  readonly #deadlines: Deadlines;
  readonly #dedupe: Dedupe | undefined;
  /** True if it has only expressions and types, so that no stage can wait. */
  readonly #isSynchronous: boolean;
  /** Runs that have been let in before `run` is called. */
  readonly #accepted = new WeakMap<FlowEvent, Run>();

  /** The context must have all connectors of the model. */
  constructor(model: FlowModel, context: FlowContext) {
    const { name: flow, source, dedupe } = model;
    const { connectors, clock, logger, cluster } = context;
    this.flow = flow;
    if (source.kind === "connector" && source.filterRefusal) {
      this.filterRefusal = source.filterRefusal;
    }
    this.public = source.kind === "connector" && source.public;
    const rejects = model.rejects.filter(({ delivered }) => delivered === 0);
    const early = [model.accept?.steps ?? [], rejects.length > 0 ? model.steps : []];
    this.waits = early.flat().length > 0;
    this.#model = model;
    this.#context = context;
    this.#delivery = { ...context, flow };
    this.#groups = groupsOf(model.to, model.rejects.slice(rejects.length));
    this.#rejects = rejects;
    this.#deadlines = new Deadlines(clock, model.timeout);
    this.#isSynchronous = [
      ...[...model.steps, ...rejects, ...model.to],
      ...[model.accept ?? [], dedupe ?? []].flat(),
    ].length === 0;
    if (dedupe !== undefined) {
      const kept = dedupe.store === undefined
        ? undefined
        : connectors.get(dedupe.store)?.dedupeStore;
      const store = kept ?? cluster?.dedupeStore(dedupe.maxKeys) ??
        new MemoryDedupeStore(dedupe.maxKeys);
      const answers = model.response !== undefined || model.to.some((to) => to.resultUsed);
      this.#dedupe = new Dedupe(dedupe, { flow, answers, clock, store, logger, cluster });
    }
  }

  takes(event: FlowEvent): boolean {
    const { source } = this.#model;
    if (source.kind === "schedule" || source.filter === undefined) return true;
    try {
      return holds(source.filter, asScope(new Run(event, this.#context.constants).scope));
    } catch (cause) {
      this.ended++;
      throw toFlowError(this.flow, cause, this.#context);
    }
  }

  accept(event: FlowEvent): void | Promise<void> {
    if (this.#model.accept === undefined && this.#rejects.length === 0) return;
    return runWithDeadline(this.#acceptEarly(this.#begin(event)), this.#deadlines);
  }

  run(event: FlowEvent): Outcome | Promise<Outcome> {
    if (this.#isSynchronous) return this.#answer(event);
    const run = this.#accepted.get(event);
    return runWithDeadline(
      this.#serve(run ?? this.#begin(event), run !== undefined),
      this.#deadlines,
    );
  }

  /** Stops the timer. Runs in flight no longer time out. */
  close(): void {
    this.#deadlines.close();
  }

  #begin(event: FlowEvent): Run {
    return new Run(event, this.#context.constants);
  }

  /** With a `reject` among the steps, they all run before the source lets the event in. */
  *#acceptEarly(run: Run): Coroutine<void> {
    try {
      if (!(yield* this.#accepts(run))) throw rejected(this.flow, true);
      if (this.#rejects.length > 0) {
        const reject = yield* this.#rejection(run);
        if (reject !== undefined) throw refused(this.flow, reject);
      }
      this.#accepted.set(run.event, run);
    } catch (cause) {
      this.ended++;
      const error = toFlowError(this.flow, cause, this.#context);
      run.scope.renewSteps();
      throw withAnswer(error, run, this.#model.errorHandling.errorResponses, this.#delivery);
    }
  }

  #answer(event: FlowEvent): Outcome | Promise<Outcome> {
    const run = this.#begin(event);
    try {
      const { validate } = this.#model;
      if (validate.input !== undefined) this.#validate(validate.input, "validate.input", run);
      this.#shape(run);
      const outcome = this.#respond(run);
      this.ended++;
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
    this.ended++;
    return outcome;
  }

  *#recover(cause: unknown, run: Run): Coroutine<Outcome> {
    try {
      const refusal = cause instanceof Refusal ? cause.reject : undefined;
      if (refusal?.onReject === "ack") return HANDLED;
      const failure = refusal === undefined ? cause : refused(this.flow, refusal);
      const error = toFlowError(this.flow, failure, this.#context, placeIn(run));
      return yield* recover(error, run, this.#model.errorHandling, this.#delivery);
    } finally {
      this.ended++;
    }
  }

  *#stages(run: Run, accepted: boolean): Coroutine<Outcome> {
    const { accept, validate, steps, to, errorHandling } = this.#model;
    if (accept !== undefined && !accepted && !(yield* this.#accepts(run))) {
      if (accept.onReject === "ack") return HANDLED;
      throw rejected(this.flow, accept.onReject === "reject");
    }
    if (this.#rejects.length === 0) {
      if (validate.input !== undefined) this.#validate(validate.input, "validate.input", run);
      if (steps.length > 0) yield* runSteps(steps, run, this.#context);
    } else if (!accepted) {
      const reject = yield* this.#rejection(run);
      if (reject?.onReject === "ack") return HANDLED;
      if (reject !== undefined) throw refused(this.flow, reject);
    }
    this.#shape(run);
    const delivery = () => deliver(this.#groups, errorHandling.retry, run, this.#delivery);
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
