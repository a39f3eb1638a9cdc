/**
 * One flow of the model, compiled into one function: from an event to its destinations.
 *
 * May import base/, contract/, expression/, model/ and type/.
 */
import type { Clock } from "../base/clock.ts";
import type { Cluster } from "../contract/cluster.ts";
import { holds } from "../expression/condition.ts";
import type { FlowEvent, FlowHandler, Logger, Outcome, Unwanted } from "../contract/connector.ts";
import type { FlowModel, StepModel } from "../model/mod.ts";
import type { DataType } from "../type/mod.ts";
import { Deadlines } from "./deadlines.ts";
import { Dedupe, MemoryDedupeStore } from "./dedupe.ts";
import { allResults, deliver, type DeliveryContext, firstResult } from "./delivery.ts";
import { invalid, rejected, toFlowError } from "./failure.ts";
import { HANDLED, recover, withAnswer } from "./recovery.ts";
import { type Connectors, runStep } from "./requests.ts";
import { asScope, Run } from "./run.ts";
import { build, evaluateAll } from "./transform.ts";
import { perform, type Work } from "./work.ts";

/** What a flow runs in. */
export interface FlowContext {
  /** By name. */
  readonly connectors: Connectors;
  /** Values for every expression. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Is told of every failure. */
  readonly logger: Logger;
  /** Measures timeouts, delays and the age of keys. */
  readonly clock: Clock;
  /** From 0 to below 1: the jitter of delays. */
  readonly random: () => number;
  /** The other workers; undefined where there is one worker. */
  readonly cluster?: Cluster | undefined;
}

/**
 * A flow: filter, accept, validate.input, steps, transform, validate.output, dedupe, destinations,
 * response.
 */
export class Flow implements FlowHandler {
  readonly flow: string;
  readonly unwanted?: Unwanted;
  readonly waits: boolean;
  /** Grows whenever a run ends, well or not. */
  ended = 0;
  readonly #model: FlowModel;
  readonly #context: FlowContext;
  readonly #delivery: DeliveryContext;
  readonly #deadlines: Deadlines;
  readonly #dedupe: Dedupe | undefined;
  /** It has nothing but expressions and types, so nothing in it can wait. */
  readonly #answersAtOnce: boolean;
  /** Runs whose events `accept` has let in already. */
  readonly #accepted = new WeakMap<FlowEvent, Run>();

  /** The model's connectors must all be in the context. */
  constructor(model: FlowModel, context: FlowContext) {
    const { name: flow, source, dedupe } = model;
    const { connectors, clock, logger, cluster } = context;
    this.flow = flow;
    if (source.kind === "connector" && source.unwanted) this.unwanted = source.unwanted;
    this.waits = (model.accept?.steps.length ?? 0) > 0;
    this.#model = model;
    this.#context = context;
    this.#delivery = { ...context, flow };
    this.#deadlines = new Deadlines(clock, model.timeout);
    this.#answersAtOnce = [...model.steps, ...model.to, model.accept ?? [], dedupe ?? []].flat()
      .length === 0;
    if (dedupe !== undefined) {
      const kept = dedupe.store === undefined
        ? undefined
        : connectors.get(dedupe.store)?.dedupeStore;
      const store = kept ?? cluster?.dedupeStore(dedupe.maxKeys) ??
        new MemoryDedupeStore(dedupe.maxKeys);
      this.#dedupe = new Dedupe(dedupe, { flow, clock, store, logger, cluster });
    }
  }

  takes(event: FlowEvent): boolean {
    const { source } = this.#model;
    if (source.kind === "schedule" || source.filter === undefined) return true;
    try {
      return holds(source.filter, asScope(new Run(event, this.#context.constants).scope));
    } catch (cause) {
      this.ended++;
      throw toFlowError(this.flow, cause, this.#context.logger);
    }
  }

  accept(event: FlowEvent): void | Promise<void> {
    if (this.#model.accept === undefined) return;
    return perform(this.#acceptFirst(this.#begin(event)), this.#deadlines);
  }

  run(event: FlowEvent): Outcome | Promise<Outcome> {
    if (this.#answersAtOnce) return this.#answer(event);
    const run = this.#accepted.get(event);
    return perform(this.#serve(run ?? this.#begin(event), run !== undefined), this.#deadlines);
  }

  /** Lets go of its timer; runs that wait get all the time that they want. */
  close(): void {
    this.#deadlines.close();
  }

  #begin(event: FlowEvent): Run {
    return new Run(event, this.#context.constants);
  }

  *#acceptFirst(run: Run): Work<void> {
    try {
      if (!(yield* this.#accepts(run))) throw rejected(this.flow, true);
      this.#accepted.set(run.event, run);
    } catch (cause) {
      this.ended++;
      const error = toFlowError(this.flow, cause, this.#context.logger);
      run.scope.renewSteps();
      throw withAnswer(error, run, this.#model.errorHandling.errorResponse, this.#delivery);
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
      return perform(this.#recover(cause, run), this.#deadlines);
    }
  }

  *#serve(run: Run, accepted: boolean): Work<Outcome> {
    let outcome: Outcome;
    try {
      outcome = yield* this.#stages(run, accepted);
    } catch (cause) {
      return yield* this.#recover(cause, run);
    }
    this.ended++;
    return outcome;
  }

  *#recover(cause: unknown, run: Run): Work<Outcome> {
    try {
      const error = toFlowError(this.flow, cause, this.#context.logger);
      return yield* recover(error, run, this.#model.errorHandling, this.#delivery);
    } finally {
      this.ended++;
    }
  }

  *#stages(run: Run, accepted: boolean): Work<Outcome> {
    const { accept, validate, steps, to } = this.#model;
    if (accept !== undefined && !accepted && !(yield* this.#accepts(run))) {
      if (accept.onReject === "ack") return HANDLED;
      throw rejected(this.flow, accept.onReject === "reject");
    }
    if (validate.input !== undefined) this.#validate(validate.input, "validate.input", run);
    if (steps.length > 0) yield* this.#runSteps(steps, run);
    this.#shape(run);
    const delivery = () => deliver(to, this.#model.errorHandling.retry, run, this.#delivery);
    if (this.#dedupe === undefined) {
      if (to.length > 0) yield* delivery();
    } else {
      run.stage = "dedupe";
      if (!(yield* this.#dedupe.once(run, delivery))) return HANDLED;
    }
    return this.#respond(run);
  }

  *#accepts(run: Run): Work<boolean> {
    const { accept } = this.#model;
    if (accept === undefined) return true;
    run.stage = "accept";
    if (accept.steps.length > 0) yield* this.#runSteps(accept.steps, run);
    run.stage = "accept";
    return holds(accept.when, asScope(run.scope));
  }

  *#runSteps(steps: readonly StepModel[], run: Run): Work<void> {
    const { connectors, clock } = this.#context;
    // Without a prototype, so that a step may have any name.
    const results = run.scope.step ??= Object.create(null) as Record<string, unknown>;
    const { payload, event } = run;
    const asker = { scope: asScope(run.scope), payload, event };
    for (const step of steps) {
      run.stage = step.name;
      results[step.name] = yield* runStep(connectors, step, asker, clock);
    }
  }

  #validate(type: DataType, stage: string, run: Run): void {
    run.stage = stage;
    const checked = type.check(run.payload);
    if ("violations" in checked) throw invalid(this.flow, type.name, checked.violations);
    if (checked.value === run.payload) return;
    if (stage === "validate.input") run.scope.fill(checked.value, run.payload);
    run.payload = checked.value;
  }

  /** Makes what goes on. */
  #shape(run: Run): void {
    const { transform, validate } = this.#model;
    if (transform !== undefined) {
      run.stage = "transform";
      run.payload = build(transform, run.scope);
    }
    if (validate.output !== undefined) this.#validate(validate.output, "validate.output", run);
    run.scope.output = run.payload;
  }

  #respond(run: Run): Outcome {
    const { response, to } = this.#model;
    const { result, created } = firstResult(to, run);
    if (response === undefined) return { response: undefined, result, created };
    run.stage = "response";
    const { scope } = run;
    scope.output = to.length === 0 ? run.payload : result ?? null;
    scope.outputs = allResults(run);
    return { response: { data: evaluateAll(response, scope) }, result, created };
  }
}
