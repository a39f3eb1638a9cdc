/** What the admin port of a service of one process tells. */
import type { Model } from "../model/mod.ts";
import type { RuntimeCore } from "../runtime/core.ts";
import type { AdminSource } from "./admin-site.ts";
import { type ServiceState, statusReporter } from "./status.ts";

/** The admin port of a runtime, which may still be starting. */
export function adminSource(
  model: Model,
  runtime: RuntimeCore,
  isStarted: () => boolean,
): AdminSource {
  const report = statusReporter(model);
  const health = (): Readonly<Record<string, string>> => {
    const found = runtime.health();
    return isStarted() || runtime.closing ? found : { ...found, runtime: "is starting" };
  };
  const state = (): ServiceState => {
    if (runtime.closing) return "shutting_down";
    if (!isStarted()) return "starting";
    return Object.keys(runtime.health()).length === 0 ? "ready" : "not_ready";
  };
  return {
    identity: runtime.healthSource.identity,
    health,
    serving: () => isStarted() && runtime.serving,
    metrics: () => runtime.metrics(),
    status: () =>
      report({
        state: state(),
        health: health(),
        counts: runtime.counts(),
        flowsInFlight: runtime.work.flows,
      }),
  };
}
