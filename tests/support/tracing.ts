/** A program's OpenTelemetry SDK in this process, and a runtime whose flows it traces. */
import assert from "node:assert/strict";
import { context, propagation, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import type { FlowEvent, FlowHandler, WriteRequest } from "../../src/contract/connector.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import { createRuntime, type Runtime } from "../../src/runtime/mod.ts";

/** A `traceparent` that a sender may send; the last one is of a trace that is not recorded. */
export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
export const SPAN_ID = "b7ad6b7169203331";
export const RECORDED: string = `00-${TRACE_ID}-${SPAN_ID}-01`;
export const LEFT_OUT: string = `00-${TRACE_ID}-${SPAN_ID}-00`;

/** The spans that have ended in this process. */
export class Sdk {
  readonly #exporter = new InMemorySpanExporter();
  readonly #provider: NodeTracerProvider;

  private constructor(sampler: Sampler | undefined) {
    const spanProcessors = [new SimpleSpanProcessor(this.#exporter)];
    this.#provider = new NodeTracerProvider({ spanProcessors, ...(sampler && { sampler }) });
  }

  /** Registers an SDK while `run` runs. */
  static async with<T>(run: (sdk: Sdk) => Promise<T>, sampler?: Sampler): Promise<T> {
    const sdk = new Sdk(sampler);
    sdk.#provider.register();
    try {
      return await run(sdk);
    } finally {
      trace.disable();
      context.disable();
      propagation.disable();
      await sdk.#provider.shutdown();
    }
  }

  /** In the order of their ends. */
  get spans(): readonly ReadableSpan[] {
    return this.#exporter.getFinishedSpans();
  }

  /** The only span with this name. */
  span(name: string): ReadableSpan {
    const found = this.spans.filter((span) => span.name === name);
    const names = this.spans.map((span) => span.name).join(", ");
    assert.equal(found.length, 1, `there must be one span "${name}"; there are ${names}`);
    return found[0];
  }

  /** Each span with the name of its parent, as `child < parent`; without a parent here, its name alone. */
  tree(): readonly string[] {
    return treeOf(this.spans.map((span) => ({
      name: span.name,
      id: span.spanContext().spanId,
      parent: span.parentSpanContext?.spanId,
    })));
  }
}

/** Each span with the name of its parent, as `child < parent`, sorted. */
export function treeOf(
  spans: readonly { readonly name: string; readonly id: string; readonly parent?: string }[],
): readonly string[] {
  const names = new Map(spans.map(({ id, name }) => [id, name]));
  return spans.map(({ name, parent = "" }) => {
    const above = names.get(parent);
    return above === undefined ? name : `${name} < ${above}`;
  }).sort();
}

/** What a test asks of a span. */
export function told(span: ReadableSpan): {
  readonly kind: string;
  readonly status: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
} {
  return {
    kind: SpanKind[span.kind],
    status: SpanStatusCode[span.status.code],
    attributes: span.attributes,
    events: span.events.map(({ name }) => name),
  };
}

/** A runtime, its sources, and what its destinations get. */
export interface Traced {
  readonly runtime: Runtime;
  readonly writes: WriteRequest[];
  /** Sends an event to the flow of a source. */
  send(source: string, event?: Partial<FlowEvent>): Promise<unknown>;
  /** Asks a flow whether it accepts an event, and then runs it. */
  enter(source: string, event?: Partial<FlowEvent>): Promise<unknown>;
}

/**
 * Runs `act` with flows between these connectors: `clients`, `messages` and `requests` start them, and
 * `answer` answers for the destinations `a` and `b`.
 */
export async function withFlows(
  flows: string,
  act: (traced: Traced) => Promise<void>,
  answer: (request: WriteRequest, connector: string) => unknown = () => undefined,
): Promise<void> {
  const handlers = new Map<string, FlowHandler>();
  const writes: WriteRequest[] = [];
  const source = (kind: "clients" | "messages" | "requests"): ConnectorType =>
    defineConnector({
      fields: {},
      source: { kind },
      create: (_, { name }) => ({
        subscribe: (_, handler) => void handlers.set(name, handler),
      }),
    });
  const kinds = { clients: "clients", messages: "messages", requests: "requests" } as const;
  const connectors = {
    ...Object.fromEntries(Object.values(kinds).map((kind) => [kind, source(kind)])),
    probe: defineConnector({
      fields: {},
      destination: { fields: {} },
      create: (_, { name }) => ({
        write(request) {
          writes.push(request);
          return answer(request, name);
        },
      }),
    }),
  };
  const types = { ...kinds, a: "probe", b: "probe" };
  const config = Object.entries(types)
    .map(([name, type]) => `connector "${name}" {\n type = "${type}"\n}\n`).join("") + flows;
  const runtime = await createRuntime(config, { connectors });
  const made = (event: Partial<FlowEvent>): FlowEvent => ({
    operation: "happened",
    payload: {},
    input: {},
    ...event,
  });
  const handlerOf = (name: string): FlowHandler => {
    const handler = handlers.get(name);
    assert.ok(handler, `no flow starts at ${name}`);
    return handler;
  };
  try {
    await act({
      runtime,
      writes,
      send: async (name, event = {}) => await handlerOf(name).run(made(event)),
      async enter(name, event = {}) {
        const [handler, one] = [handlerOf(name), made(event)];
        await handler.accept?.(one);
        return await handler.run(one);
      },
    });
  } finally {
    await runtime.close();
  }
}
