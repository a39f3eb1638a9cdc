/** The spans of one flow: one for each run, with those of its requests below it. */
import type { Context } from "@opentelemetry/api";
import { FlowError } from "../base/errors.ts";
import type { FlowEvent } from "../contract/connector.ts";
import type { Ending } from "../contract/dispatch.ts";
import type {
  FlowObserver,
  ObservedRequest,
  RequestObserver,
  RunObserver,
  RunOutcome,
} from "../contract/observer.ts";
import type { EventDescription } from "../contract/telemetry.ts";
import type { FlowModel } from "../model/mod.ts";
import { type Described, describeEvent } from "./descriptions.ts";
import { PassedTrace, RequestTracer } from "./request-tracer.ts";
import { isExported, type OpenSpan, type SpanForm, type Spans } from "./spans.ts";

/** Traces one flow. */
export class FlowTracer implements FlowObserver {
  readonly #spans: Spans;
  readonly #event: EventDescription;
  /** A run's span. */
  readonly #run: SpanForm;
  /** A run's span within one of this process. */
  readonly #inner: SpanForm;
  /** The span of `accept`. */
  readonly #accept: SpanForm;
  readonly #requests: RequestTracer;
  readonly #answersRequests: boolean;
  /** Those that were accepted: their run is a part of the same trace. */
  readonly #accepted = new WeakMap<FlowEvent, Context>();
  /** Whether it may be asked before it runs. */
  readonly #asksFirst: boolean;
  readonly #ratio: number;
  /** Which traces are not recorded of a flow that may be asked first. */
  readonly #left = new WeakMap<FlowEvent, boolean>();

  /** Makes no span yet. */
  constructor(spans: Spans, flow: FlowModel, described: Described) {
    const { model } = described;
    const { source } = flow;
    this.#spans = spans;
    this.#requests = new RequestTracer(spans, described);
    const event = describeEvent(flow, described);
    this.#event = event;
    this.#run = spans.formOf(event);
    this.#inner = spans.formOf({ ...event, kind: "internal" });
    this.#accept = spans.formOf({ ...event, kind: "internal", name: `accept ${event.name}` });
    this.#asksFirst = flow.accept !== undefined || flow.rejects.length > 0;
    this.#ratio = model.service.traceRatio;
    this.#answersRequests = source.kind === "connector" &&
      model.connectors.get(source.connector)?.definition.source?.kind === "requests";
  }

  filtered(): void {}

  begin(phase: "accept" | "run", event: FlowEvent): RunObserver | undefined {
    const parent = this.#parentOf(event);
    // Asking the SDK about each of them would cost as much as many flows do.
    if (parent === undefined) return this.#isLeftOut(event) ? undefined : this.#start(phase, event);
    const left = this.#spans.unrecorded(parent);
    return left === undefined
      ? this.#start(phase, event, parent)
      : new PassedRun(this.#spans, left);
  }

  #start(
    phase: "accept" | "run",
    event: FlowEvent,
    parent: Context = this.#spans.api.ROOT_CONTEXT,
  ): RunObserver {
    const inner = this.#spans.isLocal(parent) ? this.#inner : this.#run;
    const open = this.#spans.start(phase === "accept" ? this.#accept : inner, parent);
    const { span, context } = open;
    if (!isExported(this.#spans.api, span)) return new PassedRun(this.#spans, open);
    const { attributesOf, attributesOfEvent } = this.#event;
    span.setAttribute("weir.operation", event.operation);
    if (attributesOf !== undefined) span.setAttributes(attributesOf(event.operation));
    if (attributesOfEvent !== undefined) span.setAttributes(attributesOfEvent(event));
    const accepted = phase === "accept" ? () => this.#accepted.set(event, context) : undefined;
    return new TracedRun(this.#spans, open, this.#requests, this.#event, accepted);
  }

  /**
   * A request may be served within a span of the program or of its HTTP server. The callbacks of other
   * sources run in whatever context their connection was made in, which says nothing.
   */
  #parentOf(event: FlowEvent): Context | undefined {
    const accepted = this.#asksFirst ? this.#accepted.get(event) : undefined;
    if (accepted !== undefined) return accepted;
    const active = this.#answersRequests ? this.#spans.active : undefined;
    return active ?? this.#spans.contextOf(event);
  }

  /** Whether a trace that would begin with an event is not recorded: in both phases, or in none. */
  #isLeftOut(event: FlowEvent): boolean {
    if (this.#ratio >= 1) return false;
    if (!this.#asksFirst) return Math.random() >= this.#ratio;
    const known = this.#left.get(event);
    if (known !== undefined) return known;
    const left = Math.random() >= this.#ratio;
    this.#left.set(event, left);
    return left;
  }
}

/** Passes the trace of a run on that is not recorded. */
class PassedRun implements RunObserver {
  readonly #spans: Spans;
  readonly #open: OpenSpan;

  constructor(spans: Spans, open: OpenSpan) {
    this.#spans = spans;
    this.#open = open;
  }

  get traceId(): string | undefined {
    return traceIdOf(this.#spans, this.#open);
  }

  request(): RequestObserver {
    return new PassedTrace(this.#spans, this.#open);
  }

  retried(): void {}

  ended(): void {}
}

function traceIdOf({ api }: Spans, { span }: OpenSpan): string | undefined {
  const context = span.spanContext();
  return api.isSpanContextValid(context) ? context.traceId : undefined;
}

/** Traces one run. */
class TracedRun implements RunObserver {
  readonly #spans: Spans;
  readonly #open: OpenSpan;
  readonly #requests: RequestTracer;
  readonly #described: EventDescription;
  /** Is told that the flow accepts the event; undefined where it was not asked that. */
  readonly #accepted: (() => unknown) | undefined;
  /** What a request has failed with, which its own span tells. */
  #told: unknown;

  constructor(
    spans: Spans,
    open: OpenSpan,
    requests: RequestTracer,
    described: EventDescription,
    accepted: (() => unknown) | undefined,
  ) {
    this.#spans = spans;
    this.#open = open;
    this.#requests = requests;
    this.#described = described;
    this.#accepted = accepted;
  }

  /** Only a log reads it. */
  get traceId(): string | undefined {
    return traceIdOf(this.#spans, this.#open);
  }

  request(request: ObservedRequest): RequestObserver {
    return this.#requests.start(request, this.#open, (failure) => this.#told = failure);
  }

  retried(): void {
    this.#open.span.addEvent("retry");
  }

  ended(outcome: RunOutcome | undefined, ending?: Ending): void {
    const { span } = this.#open;
    if (outcome === undefined) this.#accepted?.();
    else this.#tell(outcome, ending);
    span.end();
  }

  #tell(outcome: RunOutcome, ending: Ending | undefined): void {
    const { span } = this.#open;
    span.setAttribute("weir.outcome", outcome);
    if (ending !== undefined) {
      span.setAttributes(this.#described.attributesOfEnding?.(ending) ?? {});
    }
    if (!(ending instanceof FlowError)) return;
    const { code, ref, cause, message } = ending;
    span.setAttribute("error.type", code);
    if (ref !== undefined) span.setAttribute("weir.ref", ref);
    // What the flow refuses is not a fault of the service.
    if (outcome === "rejected" || outcome === "invalid") return;
    span.setStatus({ code: this.#spans.api.SpanStatusCode.ERROR, message });
    if (cause instanceof Error && cause !== this.#told) span.recordException(cause);
  }
}
