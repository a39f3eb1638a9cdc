/** What traces one runtime. */
import { withTimeout } from "../base/timeout.ts";
import type { TraceFields } from "../base/trace-context.ts";
import type { FlowObserver, RunObserver } from "../contract/observer.ts";
import type { RelayObserver } from "../contract/request-observer.ts";
import type { FlowModel, Model } from "../model/mod.ts";
import { type Described, describedOf, describeLookups, describeRelay } from "./descriptions.ts";
import { FlowTracer } from "./flow-tracer.ts";
import { TracedLookups } from "./lookup-tracer.ts";
import { RequestTracer, TracedRequest } from "./request-tracer.ts";
import { type Api, Spans } from "./spans.ts";

/** How long an end waits for the SDK, in milliseconds. */
const PATIENCE = 2_000;

/** Traces the flows and the connectors of one runtime. */
export class Tracer {
  readonly #spans: Spans;
  readonly #described: Described;

  /** Makes no span yet. */
  constructor(api: Api, described: Described) {
    this.#spans = new Spans(api);
    this.#described = described;
  }

  /** Has the SDK export what has ended: a process that ends would lose it. Never rejects. */
  async flush(): Promise<void> {
    const exported = this.#spans.flush().then(() => {}, () => {});
    await withTimeout(exported, PATIENCE, () => {});
  }

  /** Returns what traces one flow. */
  observe(flow: FlowModel): FlowObserver {
    return new FlowTracer(this.#spans, flow, this.#described);
  }

  /** Returns what traces what a connector looks up outside of flows. */
  lookedUp(connector: string): (trace?: TraceFields) => RunObserver | undefined {
    const requests = new RequestTracer(this.#spans, this.#described);
    const form = this.#spans.formOf(describeLookups(connector));
    const ratio = this.#described.model.service.traceRatio;
    return (trace = {}) => {
      const parent = this.#spans.contextOf(trace);
      if (parent === undefined && Math.random() >= ratio) return undefined;
      const context = parent ?? this.#spans.api.ROOT_CONTEXT;
      return new TracedLookups(this.#spans, requests, form, context);
    };
  }

  /** Returns what traces what a connector does for requests of other instances. */
  relayed(connector: string): RelayObserver {
    return (traceparent, operation) => {
      const parent = this.#spans.contextOf({ traceparent });
      if (parent === undefined) return undefined;
      const form = this.#spans.formOf(describeRelay(connector, operation));
      return new TracedRequest(this.#spans, this.#spans.start(form, parent));
    };
  }
}

/** Makes what traces the runtime of a model. */
export async function createTracer(api: Api, model: Model): Promise<Tracer> {
  return new Tracer(api, await describedOf(model));
}
