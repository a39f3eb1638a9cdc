/** One run of a flow: its event, what its expressions see, and the objects that they build. */
import { isObject } from "../base/json.ts";
import type { FlowEvent } from "../contract/connector.ts";
import { METER, Meter, type Scope } from "../expression/mod.ts";
import type { NamedExpression } from "../model/mod.ts";

/** The variables of the expressions of one run. */
export class RunScope {
  /** The object that is being built, the payload, or the result, depending on the stage. */
  output: unknown = null;
  /** The results of all destinations; set for `response` only. */
  outputs: readonly unknown[] | null = null;
  /** The results of steps, by name. */
  step: Record<string, unknown> | null = null;
  /** The failure; set for `fallback` and `error_response` only. */
  error: Readonly<Record<string, unknown>> | null = null;
  readonly client: unknown;
  readonly constants: Readonly<Record<string, unknown>>;
  /** The steps that all expressions of the run share. */
  [METER]: Meter;
  readonly #event: FlowEvent;
  #input: Readonly<Record<string, unknown>> | undefined;

  /** The scope of an event that has just arrived. */
  constructor(
    event: FlowEvent,
    constants: Readonly<Record<string, unknown>>,
    meter: Meter = new Meter(),
  ) {
    this.#event = event;
    this.client = event.client ?? null;
    this.constants = constants;
    this[METER] = meter;
  }

  /** Built on first use, since many flows never read it. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#input ?? this.#event.input;
  }

  /**
   * Adds the defaults of a type to `input`: the fields of `payload` that differ from `sent`, unless
   * `input` has another value there.
   */
  fill(payload: unknown, sent: unknown): void {
    if (!isObject(payload) || !isObject(sent)) return;
    const { input } = this.#event;
    const filled = Object.entries(payload).filter(([name, value]) =>
      sent[name] !== value && (input[name] ?? null) === (sent[name] ?? null)
    );
    this.#input = { ...input, ...Object.fromEntries(filled) };
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
    const scope = new RunScope(this.#event, this.constants, this[METER]);
    scope.#input = this.#input;
    scope.step = this.step;
    scope.error = this.error;
    scope.output = output;
    return scope;
  }
}

/** The state of one event in one flow. */
export class Run {
  readonly event: FlowEvent;
  readonly scope: RunScope;
  /** The event's payload, later the output of `transform`. */
  payload: unknown;
  /** The results of the destinations in their order, `SKIPPED` and `UNSENT` among them. */
  readonly results: unknown[] = [];
  /** The current stage, for `error.step`: a step, a connector, or a word such as `transform`. */
  stage = "from";

  /** Starts with the payload of the event. */
  constructor(event: FlowEvent, constants: Readonly<Record<string, unknown>>) {
    this.event = event;
    this.scope = new RunScope(event, constants);
    this.payload = event.payload;
  }
}

/** A run's scope with the type that expressions take. */
export function asScope(scope: RunScope): Scope {
  return scope as unknown as Scope;
}

/** Builds an object. Each expression sees the fields before it as `output`. */
export function build(
  fields: readonly NamedExpression[],
  scope: RunScope,
): Record<string, unknown> {
  const output: Record<string, unknown> = {};
  scope.output = output;
  for (const [name, value] of fields) setField(output, name, value.evaluate(asScope(scope)));
  return output;
}

/**
 * Builds an object for one destination. Each expression sees the flow's payload as `output`, with
 * the fields before it in place of those of the same name. The flow's own scope does not change.
 */
export function reshape(
  fields: readonly NamedExpression[],
  scope: RunScope,
): Record<string, unknown> {
  const built: Record<string, unknown> = {};
  const seen = isObject(scope.output) ? { ...scope.output } : {};
  const inner = scope.withOutput(seen);
  for (const [name, value] of fields) {
    const result = value.evaluate(asScope(inner));
    setField(built, name, result);
    setField(seen, name, result);
  }
  return built;
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

/** Defines `__proto__` as a plain field; any other name can be assigned, which is faster. */
function setField(fields: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") fields[name] = value;
  else {
    const property = { value, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(fields, name, property);
  }
}
