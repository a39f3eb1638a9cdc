/** One run of a flow: its event, what its expressions see, and the objects that they build. */
import { isObject, setField } from "../base/json.ts";
import { readTraceParent } from "../base/trace-context.ts";
import type { FlowEvent } from "../contract/connector.ts";
import type { RunObserver, RunOutcome } from "../contract/observer.ts";
import { METER, Meter, type Scope } from "../expression/mod.ts";
import { ExpressionError } from "../base/errors.ts";
import { kindName } from "../base/shown.ts";
import type { NamedExpression, TransformModel } from "../model/mod.ts";
import { type ListResult, shownResults } from "./results.ts";

/** The variables of the expressions of one run. */
export class RunScope {
  /** The object that is being built, the payload, or the result, depending on the stage. */
  output: unknown = null;
  /** What goes to the destinations; set for them, the `response` and the `fallback`. */
  payload: unknown = null;
  /** The results of named destinations before this place. */
  results: Readonly<Record<string, unknown>> | null = null;
  /** The element of an `each`; only where there is one. */
  declare item?: unknown;
  /** Its position in the list; only where there is one. */
  declare index?: number;
  /** How many destinations come before this place. */
  delivered = 0;
  /** The results of steps, by name. */
  step: Record<string, unknown> | null = null;
  /** The failure; set for `fallback` and `error_response` only. */
  error: Readonly<Record<string, unknown>> | null = null;
  readonly constants: Readonly<Record<string, unknown>>;
  /** The steps that all expressions of the run share. */
  [METER]: Meter;
  readonly #event: FlowEvent;
  /** The results of the destinations, which the run adds to. */
  readonly #results: readonly unknown[];
  #changed: ChangedInput | undefined;

  /** The scope of an event that has just arrived. */
  constructor(
    event: FlowEvent,
    constants: Readonly<Record<string, unknown>>,
    results: readonly unknown[],
    meter: Meter = new Meter(),
  ) {
    this.#event = event;
    this.#results = results;
    this.constants = constants;
    this[METER] = meter;
  }

  /** A source may make it on first use, since many flows never read it. */
  get client(): unknown {
    return this.#event.client ?? null;
  }

  /** A source may make it on first use, too. */
  get match(): unknown {
    return this.#event.match ?? null;
  }

  /** Built on first use, since many flows never read it. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#changed?.fields ?? this.#event.input;
  }

  /** The results of the destinations before this place; null for those that have none. */
  get outputs(): readonly unknown[] {
    return shownResults(this.#results, this.delivered);
  }

  /** Adds what a type has changed to `input`: the fields of `payload` that differ from `sent`. */
  fill(payload: unknown, sent: unknown): void {
    if (!isObject(payload) || !isObject(sent)) return;
    this.#changed = new ChangedInput(this.#event, payload, sent);
  }

  /**
   * Starts a new budget of steps. Error handling needs one, since the failure may be that the budget
   * was used up. A retry gets one, since other events were served in the meantime.
   */
  renewSteps(): void {
    this[METER] = new Meter();
  }

  /** A copy with another `output`, for one destination. It shares the budget of steps. */
  withOutput(output: unknown): RunScope {
    const scope = new RunScope(this.#event, this.constants, this.#results, this[METER]);
    scope.#changed = this.#changed;
    scope.step = this.step;
    scope.error = this.error;
    scope.payload = this.payload;
    scope.results = this.results;
    scope.delivered = this.delivered;
    scope.output = output;
    if (this.index !== undefined) {
      scope.item = this.item;
      scope.index = this.index;
    }
    return scope;
  }

  /** A copy for one element of an `each`, which is what its destination gets. */
  withItem(item: unknown, index: number): RunScope {
    const scope = this.withOutput(item);
    scope.item = item;
    scope.index = index;
    return scope;
  }

  /** Adds the result of a named destination, for the expressions after it. */
  addResult(name: string, result: unknown): void {
    // Without a prototype, since a destination may have any name. A copy of the scope may have the old one.
    this.results = Object.assign(Object.create(null), this.results, { [name]: result });
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** The `input` of an event with what a type has changed, which all scopes of its run share. */
class ChangedInput {
  readonly #event: FlowEvent;
  readonly #payload: Fields;
  readonly #sent: Fields;
  #fields: Fields | undefined;

  /** `payload` is what the type has made of `sent`. */
  constructor(event: FlowEvent, payload: Fields, sent: Fields) {
    this.#event = event;
    this.#payload = payload;
    this.#sent = sent;
  }

  /** Built on first use, since many flows never read it. */
  get fields(): Fields {
    return this.#fields ??= this.#build();
  }

  /** Leaves fields alone that are metadata, or have another value there than in what was sent. */
  #build(): Fields {
    const { input, metadata } = this.#event;
    const fields = { ...input };
    for (const [name, value] of Object.entries(this.#payload)) {
      if (this.#sent[name] === value || metadata?.has(name)) continue;
      if ((input[name] ?? null) === (this.#sent[name] ?? null)) setField(fields, name, value);
    }
    return fields;
  }
}

/** How far a run has come in its list. A retry goes on from here. */
export interface EachProgress {
  readonly list: readonly unknown[];
  /** The element at work. */
  index: number;
  /** Its next destination, as a position in the group. */
  member: number;
  /** The variables of the element at work; undefined before its first destination. */
  scope: RunScope | undefined;
  /** The results of each destination so far. */
  readonly results: readonly ListResult[];
}

/** The state of one event in one flow. */
export class Run {
  readonly event: FlowEvent;
  readonly scope: RunScope;
  /** The event's payload, later the output of `transform`. */
  payload: unknown;
  /** The results of the destinations in their order, `SKIPPED` and `UNSENT` among them. */
  readonly results: unknown[] = [];
  /** How far the group of `each` at work has come. */
  each: EachProgress | undefined;
  /** The current stage, for `error.step`: a step, a connector, or a word such as `transform`. */
  stage = "from";
  /** How it ends, as far as is known. */
  outcome: RunOutcome = "ok";
  /** Undefined where nothing watches. */
  observer: RunObserver | undefined;

  /** Starts with the payload of the event. */
  constructor(
    event: FlowEvent,
    constants: Readonly<Record<string, unknown>>,
    observer?: RunObserver,
  ) {
    this.event = event;
    this.observer = observer;
    this.scope = new RunScope(event, constants, this.results);
    this.payload = event.payload;
  }

  /** The id of its trace; that of its sender where nothing traces. Undefined without one. */
  get traceId(): string | undefined {
    return this.observer?.traceId ?? readTraceParent(this.event.traceparent)?.traceId;
  }
}

/** A run's scope with the type that expressions take. */
export function asScope(scope: RunScope): Scope {
  return scope as unknown as Scope;
}

/**
 * Builds a payload. Each expression sees the fields before it as `output`, together with those of the
 * payload if the transform extends it.
 */
export function build(
  transform: TransformModel,
  payload: unknown,
  scope: RunScope,
): Record<string, unknown> {
  const output: Record<string, unknown> = transform.extend ? extended(transform, payload) : {};
  scope.output = output;
  for (const [name, value] of transform.lines) {
    setField(output, name, value.evaluate(asScope(scope)));
  }
  return output;
}

/**
 * Builds an object for one destination. Each expression sees what the destination would get without
 * the transform as `output`, with the fields before it in place of those of the same name. The flow's
 * own scope does not change.
 */
export function reshape(transform: TransformModel, scope: RunScope): Record<string, unknown> {
  const { output } = scope;
  if (transform.extend) return build(transform, output, scope.withOutput(output));
  const built: Record<string, unknown> = {};
  const seen = isObject(output) ? { ...output } : {};
  const inner = scope.withOutput(seen);
  for (const [name, value] of transform.lines) {
    const result = value.evaluate(asScope(inner));
    setField(built, name, result);
    setField(seen, name, result);
  }
  return built;
}

/** The fields that a transform adds to. */
function extended({ place }: TransformModel, payload: unknown): Record<string, unknown> {
  if (isObject(payload)) return { ...payload };
  const message = `a transform with extend = true adds to an object, not to ${kindName(payload)}`;
  throw new ExpressionError("extend = true", message, { place });
}

/** Builds an object whose expressions do not see each other's fields. */
export function evaluateAll(
  fields: readonly NamedExpression[],
  scope: RunScope,
): Record<string, unknown> {
  const built: Record<string, unknown> = {};
  for (const [name, value] of fields) setField(built, name, value.evaluate(asScope(scope)));
  return built;
}
