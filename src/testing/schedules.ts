/** Turns schedules into connectors, so that their failures are observed like all others. */
import type { FlowHandler } from "../contract/connector.ts";
import { type ConnectorType, defineConnector } from "../contract/definition.ts";
import type { ConnectorModel, FlowModel, Model } from "../model/mod.ts";
import { type RunningSchedule, startSchedule } from "../flow/schedule.ts";
import type { Schedule } from "../model/schedule.ts";

/** The same model, in which every scheduled flow has a connector as its source. */
export function withSchedules(model: Model): Model {
  const connectors = new Map(model.connectors);
  const flows = model.flows.map((flow): FlowModel => {
    if (flow.source.kind !== "schedule") return flow;
    const connector = scheduleConnector(flow.name, flow.source.when);
    connectors.set(connector.name, connector);
    const { name } = connector;
    const source = { kind: "connector", connector: name, operation: undefined } as const;
    return {
      ...withoutRefusals(flow),
      source: { ...source, filter: undefined, filterRefusal: undefined, public: false },
    };
  });
  return { ...model, connectors, flows };
}

/** Nobody is told that a schedule is refused, so no step of a test could expect it. */
function withoutRefusals(flow: FlowModel): FlowModel {
  const accept = flow.accept && { ...flow.accept, onReject: "ack" as const };
  const rejects = flow.rejects.map((reject) => ({ ...reject, onReject: "ack" as const }));
  return { ...flow, accept, rejects };
}

function scheduleConnector(flow: string, when: Schedule): ConnectorModel {
  const definition: ConnectorType = defineConnector({
    fields: {},
    source: {},
    test: (options) => options,
    create(_options, { logger, clock }) {
      const handlers: FlowHandler[] = [];
      let schedule: RunningSchedule | undefined;
      const run = (at: Date): unknown => {
        const input = { scheduled_at: at.toISOString() };
        return handlers[0].run({ operation: "schedule", payload: input, input });
      };
      return {
        subscribe: (_operation, handler) => void handlers.push(handler),
        consume() {
          schedule = startSchedule(when, run, logger, clock);
          return Promise.resolve();
        },
        stop: () => schedule?.stop() ?? Promise.resolve(),
      };
    },
  });
  return { name: `schedule of ${flow}`, type: "schedule", definition, options: {}, lookups: [] };
}
