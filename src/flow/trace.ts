/** Logs what a flow receives and what it responds. */
import type { FlowEvent, FlowHandler, Logger, Outcome } from "../contract/connector.ts";

/** Logs the events and responses of a flow at trace. Nothing else logs bodies. */
export function traced(flow: FlowHandler, logger: Logger): FlowHandler {
  const ended = (outcome: Outcome): Outcome => {
    logger.trace("flow {flow} responded: {response}", {
      flow: flow.flow,
      response: outcome.response?.data,
    });
    return outcome;
  };
  return {
    flow: flow.flow,
    ...(flow.filterRefusal === undefined ? {} : { filterRefusal: flow.filterRefusal }),
    ...(flow.public === undefined ? {} : { public: flow.public }),
    ...(flow.waits === undefined ? {} : { waits: flow.waits }),
    takes: (event) => flow.takes(event),
    accept: (event) => flow.accept?.(event),
    run(event: FlowEvent): Outcome | Promise<Outcome> {
      const { operation, input } = event;
      logger.trace("flow {flow} received {operation}: {input}", {
        flow: flow.flow,
        operation,
        input,
      });
      const outcome = flow.run(event);
      return outcome instanceof Promise ? outcome.then(ended) : ended(outcome);
    },
  };
}
