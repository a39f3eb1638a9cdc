/** Makes spans with the SDK of the program. */
import type {
  Context,
  ProxyTracerProvider,
  Span,
  SpanOptions,
  Tracer as ApiTracer,
  TraceState,
} from "@opentelemetry/api";
import { readTraceParent, type TraceFields, writeTraceParent } from "../base/trace-context.ts";
import type { SpanDescription } from "../contract/telemetry.ts";

/** The API of OpenTelemetry. Its types alone are imported, since a program need not have it. */
export type Api = typeof import("@opentelemetry/api");

/** A span, and the context that what belongs to it runs in. */
export interface OpenSpan {
  readonly span: Span;
  readonly context: Context;
  /** What the sender of the trace passes on beside it. */
  readonly state: TraceState | undefined;
}

/** What the SDK is told of spans that differ only in their parents, made once for all of them. */
export interface SpanForm {
  readonly name: string;
  readonly options: SpanOptions;
}

/** Makes spans. */
export class Spans {
  readonly api: Api;
  readonly #tracer: ApiTracer;
  /** The span in which the program has made the runtime. What happens later is no part of it. */
  readonly #outer: Span | undefined;

  /** Makes no span yet. */
  constructor(api: Api) {
    this.api = api;
    this.#tracer = api.trace.getTracer("@weir/runtime");
    this.#outer = api.trace.getActiveSpan();
  }

  /** Prepares the spans of a description. */
  formOf({ name, kind, attributes }: SpanDescription): SpanForm {
    const { SpanKind } = this.api;
    const options = {
      kind: SpanKind[kind.toUpperCase() as keyof typeof SpanKind],
      ...(attributes && { attributes }),
    };
    return { name, options };
  }

  /** Begins a span. `state` is that of its parent; where it is absent, that of the context. */
  start(
    { name, options }: SpanForm,
    parent: Context,
    state: TraceState | undefined = this.api.trace.getSpanContext(parent)?.traceState,
  ): OpenSpan {
    const span = this.#tracer.startSpan(name, options, parent);
    // The spans of Deno forget it.
    const { traceState = state } = span.spanContext();
    return { span, context: this.api.trace.setSpan(parent, span), state: traceState };
  }

  /** Resolves when the SDK has exported what has ended, as far as it can say so. */
  async flush(): Promise<void> {
    const provider = this.api.trace.getTracerProvider() as Partial<ProxyTracerProvider>;
    const sdk: unknown = provider.getDelegate?.() ?? provider;
    await (sdk as { forceFlush?(): Promise<void> }).forceFlush?.();
  }

  /** What passes a trace on that is not recorded; undefined for one that is. */
  unrecorded(parent: Context): OpenSpan | undefined {
    const { trace, TraceFlags } = this.api;
    const span = trace.getSpan(parent);
    if (span === undefined) return undefined;
    const { traceFlags, traceState: state } = span.spanContext();
    if ((traceFlags & TraceFlags.SAMPLED) !== 0) return undefined;
    return { span, context: parent, state };
  }

  /** Whether this process has the span of a context. */
  isLocal(context: Context): boolean {
    const span = this.api.trace.getSpanContext(context);
    return span !== undefined && span.isRemote !== true;
  }

  /** The context of a sender; undefined where it names no trace. */
  contextOf({ traceparent, tracestate }: TraceFields): Context | undefined {
    // Most events name none, and reading the parts of the API costs more than all else here.
    if (traceparent === undefined) return undefined;
    const parent = readTraceParent(traceparent);
    if (parent === undefined) return undefined;
    const { ROOT_CONTEXT, trace, createTraceState } = this.api;
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: parent.traceId,
      spanId: parent.spanId,
      traceFlags: parent.flags,
      isRemote: true,
      ...(tracestate && { traceState: createTraceState(tracestate) }),
    });
  }

  /** The context of the code that runs now, if that is a part of a trace. */
  get active(): Context | undefined {
    const { context, trace, isSpanContextValid } = this.api;
    const active = context.active();
    const span = trace.getSpan(active);
    if (span === undefined || span === this.#outer) return undefined;
    return isSpanContextValid(span.spanContext()) ? active : undefined;
  }
}

/**
 * Whether a span will be exported. Those of Deno say that they are recorded in every case, so the
 * decision of the sampler counts.
 */
export function isExported({ TraceFlags }: Api, span: Span): boolean {
  return span.isRecording() && (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** The header that passes a span on; undefined where the SDK has made none. */
export function traceparentOf({ isSpanContextValid }: Api, span: Span): string | undefined {
  const context = span.spanContext();
  if (!isSpanContextValid(context)) return undefined;
  const { traceId, spanId, traceFlags: flags } = context;
  return writeTraceParent({ traceId, spanId, flags });
}
