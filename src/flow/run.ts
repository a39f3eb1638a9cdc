/** One event on its way through one flow: what its expressions see and how far it has come. */
import type { FlowEvent } from "../contract/connector.ts";
import { METER, Meter, type Scope } from "../expression/mod.ts";
import { isObject } from "../base/json.ts";

/** Where a run is, for `error.step`: the name of a step, or one of these words. */
export type Stage = string;

/** What the expressions of one run see. */
export class RunScope {
  /** What has been built or came back. */
  output: unknown = null;
  /** What all destinations returned; only `response` sees it. */
  outputs: readonly unknown[] | null = null;
  /** The results of steps, by name. */
  step: Record<string, unknown> | null = null;
  /** What has failed; only a `fallback` and an `error_response` see it. */
  error: Readonly<Record<string, unknown>> | null = null;
  readonly client: unknown;
  readonly constants: Readonly<Record<string, unknown>>;
  /** Counts what all expressions of the run cost together. */
  [METER]: Meter;
  readonly #event: FlowEvent;
  #input: Readonly<Record<string, unknown>> | undefined;

  /** Sees the event as it came. */
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

  /** Made on first use: many flows never look at it. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#input ?? this.#event.input;
  }

  /** From now on `input` has what a type has filled in, where the sender's field stood for itself. */
  fill(payload: unknown, sent: unknown): void {
    if (!isObject(payload) || !isObject(sent)) return;
    const { input } = this.#event;
    const filled = Object.entries(payload).filter(([name, value]) =>
      sent[name] !== value && (input[name] ?? null) === (sent[name] ?? null)
    );
    this.#input = { ...input, ...Object.fromEntries(filled) };
  }

  /**
   * Counts from zero again. The handling of a failure has to, since the failure may be that no steps
   * were left. Another attempt may, since other events were served before it.
   */
  renewSteps(): void {
    this[METER] = new Meter();
  }

  /** The same with another output, for one destination alone. */
  withOutput(output: unknown): RunScope {
    const scope = new RunScope(this.#event, this.constants, this[METER]);
    scope.#input = this.#input;
    scope.step = this.step;
    scope.error = this.error;
    scope.output = output;
    return scope;
  }
}

/** One run of a flow. */
export class Run {
  readonly event: FlowEvent;
  readonly scope: RunScope;
  /** What goes on. */
  payload: unknown;
  /** What the destinations returned, in their order; `SKIPPED` and `UNSENT` stand among them. */
  readonly results: unknown[] = [];
  /** What is going on, for `error.step`. */
  stage: Stage = "from";

  /** Begins with the payload as it came. */
  constructor(event: FlowEvent, constants: Readonly<Record<string, unknown>>) {
    this.event = event;
    this.scope = new RunScope(event, constants);
    this.payload = event.payload;
  }
}

/** A run's scope as expressions take it. */
export function asScope(scope: RunScope): Scope {
  return scope as unknown as Scope;
}
