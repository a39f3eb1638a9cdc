/** The span of what a connector looks up outside of flows, with those of its requests below it. */
import type { Context } from "@opentelemetry/api";
import type {
  ObservedRequest,
  RequestObserver,
  RunObserver,
  RunOutcome,
} from "../contract/observer.ts";
import { PassedTrace, type RequestTracer } from "./request-tracer.ts";
import { isExported, type OpenSpan, type SpanForm, type Spans } from "./spans.ts";

/** Traces what is looked up for one decision. Where all of it is in a cache, there is no span. */
export class TracedLookups implements RunObserver {
  readonly #spans: Spans;
  readonly #requests: RequestTracer;
  readonly #form: SpanForm;
  readonly #parent: Context;
  #open: OpenSpan | undefined;

  /** Makes no span yet. */
  constructor(
    spans: Spans,
    requests: RequestTracer,
    form: SpanForm,
    parent: Context,
  ) {
    this.#spans = spans;
    this.#requests = requests;
    this.#form = form;
    this.#parent = parent;
  }

  request(request: ObservedRequest): RequestObserver {
    const open = this.#open ??= this.#spans.unrecorded(this.#parent) ??
      this.#spans.start(this.#form, this.#parent);
    return isExported(this.#spans.api, open.span)
      ? this.#requests.start(request, open)
      : new PassedTrace(this.#spans, open);
  }

  retried(): void {}

  ended(outcome: RunOutcome | undefined): void {
    const { api } = this.#spans;
    if (this.#open === undefined || !isExported(api, this.#open.span)) return;
    const { span } = this.#open;
    if (outcome === "failed") span.setStatus({ code: api.SpanStatusCode.ERROR });
    span.end();
  }
}
