/** Makes the flows of a runtime. */
import { getLogger } from "@logtape/logtape";
import { systemClock } from "../base/clock.ts";
import type { Connector, FlowHandler } from "../contract/connector.ts";
import type { SharedDedupe } from "../contract/instances.ts";
import { Flow, observedBy, traced } from "../flow/mod.ts";
import type { FlowModel, Model } from "../model/mod.ts";
import type { CoreOptions } from "./core-options.ts";

/** A flow at work. */
export interface RunningFlow {
  readonly model: FlowModel;
  readonly flow: Flow;
  /** What its source calls: the flow, or what also logs its events. */
  readonly handler: FlowHandler;
}

/** The flows of a model. `shared` is what the instances of the service share for `dedupe`. */
export function createFlows(
  { flows, constants }: Model,
  connectors: ReadonlyMap<string, Connector>,
  shared: SharedDedupe | undefined,
  { clock = systemClock, random = Math.random, idsOf, cluster, observers = [] }: CoreOptions,
): readonly RunningFlow[] {
  const logger = getLogger(["weir", "flow"]);
  const context = { connectors, constants, logger, clock, random, cluster, shared };
  // Checked once, since the log of bodies must not cost anything when it is off.
  const logsBodies = logger.isEnabledFor("trace");
  return flows.map((model) => {
    const observer = observedBy(observers.map((observe) => observe(model)));
    const own = { ...context, newId: idsOf?.(`flow ${model.name}`), observer };
    if (logsBodies) {
      return { model, ...traced((begun) => new Flow(model, { ...own, begun }), logger) };
    }
    const flow = new Flow(model, own);
    return { model, flow, handler: flow };
  });
}
