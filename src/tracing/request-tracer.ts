/** The spans of requests to connectors. */
import { ConnectorError } from "../base/errors.ts";
import { messageOf } from "../base/shown.ts";
import type { ObservedRequest } from "../contract/observer.ts";
import type { RequestObserver } from "../contract/request-observer.ts";
import type { RequestModel } from "../contract/request.ts";
import type { SpanDescription } from "../contract/telemetry.ts";
import { type Described, describeRequest } from "./descriptions.ts";
import { type OpenSpan, type SpanForm, type Spans, traceparentOf } from "./spans.ts";

/** Passes the trace of a span on. */
export class PassedTrace implements RequestObserver {
  protected readonly spans: Spans;
  protected readonly open: OpenSpan;

  /** Does not end the span. */
  constructor(spans: Spans, open: OpenSpan) {
    this.spans = spans;
    this.open = open;
  }

  get traceparent(): string | undefined {
    return traceparentOf(this.spans.api, this.open.span);
  }

  get tracestate(): string | undefined {
    return this.open.state?.serialize() || undefined;
  }

  within<T>(act: () => T): T {
    return this.spans.api.context.with(this.open.context, act);
  }

  ended(_failure?: unknown): void {}
}

/** Ends its span with the request. */
export class TracedRequest extends PassedTrace {
  readonly #onFailure: (failure: unknown) => void;

  /** `onFailure` is told what the request has failed with. */
  constructor(spans: Spans, open: OpenSpan, onFailure: (failure: unknown) => void = () => {}) {
    super(spans, open);
    this.#onFailure = onFailure;
  }

  override ended(failure?: unknown): void {
    const { span } = this.open;
    if (failure !== undefined) {
      this.#onFailure(failure);
      const { SpanStatusCode } = this.spans.api;
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(failure) });
      if (failure instanceof Error) span.recordException(failure);
      span.setAttributes(attributesOf(failure));
    }
    span.end();
  }
}

/** What is known of the spans of a block before it makes any. */
interface KnownBlock {
  readonly form: SpanForm;
  readonly description: SpanDescription;
}

/** Begins the spans of requests. What they tell of a block is made once. */
export class RequestTracer {
  readonly #spans: Spans;
  readonly #described: Described;
  readonly #known = new Map<RequestModel, KnownBlock>();

  /** Makes no span yet. */
  constructor(spans: Spans, described: Described) {
    this.#spans = spans;
    this.#described = described;
  }

  /** Begins a span below that of `run`. `onFailure` is told what the request has failed with. */
  start(
    { kind, name, target, block }: ObservedRequest,
    run: OpenSpan,
    onFailure?: (failure: unknown) => void,
  ): TracedRequest {
    const { form, description } = this.#know(block);
    const open = this.#spans.start(form, run.context, run.state);
    const { span } = open;
    span.setAttribute("weir.request", kind);
    if (name !== undefined) span.setAttribute("weir.name", name);
    if (target !== undefined && description.attributesOf !== undefined) {
      span.setAttributes(description.attributesOf(target));
    }
    return new TracedRequest(this.#spans, open, onFailure);
  }

  #know(block: RequestModel): KnownBlock {
    let known = this.#known.get(block);
    if (known === undefined) {
      const description = describeRequest(block, this.#described);
      known = { form: this.#spans.formOf(description), description };
      this.#known.set(block, known);
    }
    return known;
  }
}

function attributesOf(failure: unknown): Readonly<Record<string, string | number>> {
  if (failure instanceof ConnectorError && failure.status !== undefined) {
    return {
      "http.response.status_code": failure.status,
      "error.type": String(failure.status),
    };
  }
  // A plugin may throw null.
  const { name, code } = (failure ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return { "error.type": String(code ?? name ?? "failed") };
}
