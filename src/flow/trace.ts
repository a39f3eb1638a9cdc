/** Shows what a flow gets and what it answers, for who follows single events: the only place that logs bodies. */
import type { FlowEvent, FlowHandler, Logger, Outcome } from "../contract/connector.ts";

/** A flow whose events and answers are logged at trace, with their bodies. */
export function traced(flow: FlowHandler, logger: Logger): FlowHandler {
  const ended = (outcome: Outcome): Outcome => {
    logger.trace("flow {flow} has ended: {response}", {
      flow: flow.flow,
      response: outcome.response?.data,
    });
    return outcome;
  };
  return {
    flow: flow.flow,
    ...(flow.unwanted === undefined ? {} : { unwanted: flow.unwanted }),
    ...(flow.waits === undefined ? {} : { waits: flow.waits }),
    takes: (event) => flow.takes(event),
    accept: (event) => flow.accept?.(event),
    run(event: FlowEvent): Outcome | Promise<Outcome> {
      const { operation, input } = event;
      logger.trace("flow {flow} takes {operation}: {input}", { flow: flow.flow, operation, input });
      const outcome = flow.run(event);
      return outcome instanceof Promise ? outcome.then(ended) : ended(outcome);
    },
  };
}
