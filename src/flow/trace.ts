/** Logs what a flow receives and what it responds. */
import { readTraceParent } from "../base/trace-context.ts";
import type { FlowEvent, FlowHandler, Logger, Outcome } from "../contract/connector.ts";
import type { FlowContext } from "./context.ts";

/**
 * Logs the events and responses of a flow at trace. Nothing else logs bodies. `make` makes the flow,
 * which calls `begun` when it begins.
 */
export function traced<F extends FlowHandler>(
  make: (begun: NonNullable<FlowContext["begun"]>) => F,
  logger: Logger,
): { readonly flow: F; readonly handler: FlowHandler } {
  const traces = new WeakMap<FlowEvent, { readonly trace_id: string }>();
  const flow = make((event, traceId = readTraceParent(event.traceparent)?.traceId) => {
    const trace = traceId === undefined ? undefined : { trace_id: traceId };
    if (trace !== undefined) traces.set(event, trace);
    logger.trace("flow {flow} received {operation}: {input}", {
      flow: flow.flow,
      operation: event.operation,
      input: event.input,
      ...trace,
    });
  });
  const ended = (event: FlowEvent, outcome: Outcome): Outcome => {
    logger.trace("flow {flow} responded: {response}", {
      flow: flow.flow,
      response: outcome.response?.data,
      ...traces.get(event),
    });
    return outcome;
  };
  const handler: FlowHandler = {
    flow: flow.flow,
    ...(flow.filterRefusal === undefined ? {} : { filterRefusal: flow.filterRefusal }),
    ...(flow.public === undefined ? {} : { public: flow.public }),
    ...(flow.waits === undefined ? {} : { waits: flow.waits }),
    takes: (event) => flow.takes(event),
    accept: (event) => flow.accept?.(event),
    run(event: FlowEvent): Outcome | Promise<Outcome> {
      const outcome = flow.run(event);
      return outcome instanceof Promise
        ? outcome.then((one) => ended(event, one))
        : ended(event, outcome);
    },
  };
  return { flow, handler };
}
