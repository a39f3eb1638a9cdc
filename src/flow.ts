/** One flow of the model, ready to run. */
import { holds } from "./condition.ts";
import type { Connector, FlowEvent, FlowHandler, Logger, Outcome } from "./connector.ts";
import { ConnectorError, ExpressionError, FlowError, newRef } from "./errors.ts";
import type { Scope } from "./expression.ts";
import type { DestinationModel, FlowModel, NamedExpression } from "./model.ts";

/** What a flow runs in. */
export interface FlowContext {
  /** By name. */
  readonly connectors: ReadonlyMap<string, Connector>;
  /** Values for every expression. */
  readonly constants: Readonly<Record<string, unknown>>;
  /** Is told of every failure. */
  readonly logger: Logger;
}

/** What one event has come to so far. */
interface Progress {
  readonly event: FlowEvent;
  readonly scope: Scope;
  /** What is delivered. */
  readonly payload: unknown;
  /** What the destinations returned, in their order; `SKIPPED` for one that was left out. */
  readonly results: unknown[];
}

/** Stands for the result of a destination that its `when` has left out. */
const SKIPPED = Symbol("skipped");

/** A flow whose order is filter, transform, destinations, response. */
export class Flow implements FlowHandler {
  readonly flow: string;
  /** Grows whenever a run ends, well or not. */
  ended = 0;
  readonly #model: FlowModel;
  readonly #context: FlowContext;

  /** The model's connectors must all be in the context. */
  constructor(model: FlowModel, context: FlowContext) {
    this.flow = model.name;
    this.#model = model;
    this.#context = context;
  }

  takes(event: FlowEvent): boolean {
    const { source } = this.#model;
    if (source.kind === "schedule" || source.filter === undefined) return true;
    try {
      return holds(source.filter, this.#scope(event, null));
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  run(event: FlowEvent): Outcome | Promise<Outcome> {
    try {
      const payload = this.#transform(event);
      const scope = this.#scope(event, payload);
      const ended = this.#deliver({ event, scope, payload, results: [] });
      return ended instanceof Promise
        ? ended.catch((cause) => Promise.reject(this.#failure(cause)))
        : ended;
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  /** Line by line, since each may use the lines above it. */
  #transform(event: FlowEvent): unknown {
    const { transform } = this.#model;
    if (transform === undefined) return event.payload;
    const output: Record<string, unknown> = {};
    const scope = this.#scope(event, output);
    for (const [name, value] of transform) setField(output, name, value.evaluate(scope));
    return output;
  }

  /** Stays synchronous for as long as the destinations do. */
  #deliver(progress: Progress): Outcome | Promise<Outcome> {
    const { to } = this.#model;
    const { results } = progress;
    while (results.length < to.length) {
      const result = this.#write(to[results.length], progress);
      if (isPromiseLike(result)) return this.#deliverLater(result, progress);
      results.push(result);
    }
    return this.#finish(progress);
  }

  async #deliverLater(result: PromiseLike<unknown>, progress: Progress): Promise<Outcome> {
    progress.results.push(await result);
    return this.#deliver(progress);
  }

  #write(to: DestinationModel, { event, scope, payload }: Progress): unknown {
    const { connector, operation, options } = to;
    if (to.when !== undefined && !holds(to.when, scope)) return SKIPPED;
    const destination = this.#context.connectors.get(connector);
    if (destination?.write === undefined) {
      throw new ConnectorError(connector, "takes no writes", { permanent: true });
    }
    const target = evaluateTarget(to, scope);
    return destination.write({ operation, target, payload, options, scope, event });
  }

  #finish({ event, payload, results }: Progress): Outcome {
    const { response, to } = this.#model;
    this.ended++;
    const first = results.findIndex((item) => item !== SKIPPED);
    const result = results[first];
    const created = first >= 0 && to[first].creates;
    if (response === undefined) return { response: undefined, result, created };
    const output = to.length === 0 ? payload : result ?? null;
    const outputs = results.map((item) => item === SKIPPED ? null : item ?? null);
    const scope = this.#scope(event, output, outputs);
    return { response: { data: evaluateAll(response, scope) }, result, created };
  }

  #scope(event: FlowEvent, output: unknown, outputs?: readonly unknown[]): Scope {
    return {
      // Made on first use: many flows never look at it.
      get input() {
        return event.input;
      },
      output,
      outputs,
      client: event.client ?? null,
      constants: this.#context.constants,
    };
  }

  /** Logs the cause, which no client may see, under a reference that both sides are given. */
  #failure(cause: unknown): FlowError {
    if (cause instanceof FlowError) return cause;
    this.ended++;
    const ref = newRef();
    const { flow } = this;
    this.#context.logger.error("flow {flow} failed (ref {ref}): {reason}", {
      flow,
      ref,
      reason: cause instanceof Error ? cause.message : String(cause),
      error: cause,
    });
    const permanent = cause instanceof ExpressionError ||
      (cause instanceof ConnectorError && cause.permanent);
    return new FlowError(flow, "flow_failed", { cause, ref, permanent });
  }
}

/** A field called `__proto__` is a field like any other. */
function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(fields, name, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function evaluateAll(items: readonly NamedExpression[], scope: Scope): Record<string, unknown> {
  return Object.fromEntries(items.map(([name, value]) => [name, value.evaluate(scope)]));
}

/** A name is text or a number; anything else must never become a room called "null". */
function evaluateTarget({ target }: DestinationModel, scope: Scope): string | undefined {
  if (target === undefined || typeof target === "string") return target;
  const value = target.evaluate(scope);
  if (typeof value === "string" || typeof value === "number") return String(value);
  const kind = value === null ? "null" : Array.isArray(value) ? "a list" : typeof value;
  throw new ExpressionError(target.source, `the target "${target.source}" is ${kind}, not a name`);
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as { readonly then?: unknown }).then === "function";
}
