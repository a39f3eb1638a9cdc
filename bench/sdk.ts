/**
 * An SDK as a program registers it, which the scenarios of traces load before Weir on Node and Bun. It
 * drops the spans: the cost of a collector does not belong to Weir.
 */
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const processor = new BatchSpanProcessor({
  export: (_, done) => done({ code: 0 }),
  shutdown: () => Promise.resolve(),
});
new NodeTracerProvider({ spanProcessors: [processor] }).register();
