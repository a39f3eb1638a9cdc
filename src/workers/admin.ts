/** What the admin port of a service of several workers tells. */
import type { Model } from "../model/mod.ts";
import type { AdminSource } from "../server/admin-site.ts";
import { type ServiceState, statusReporter } from "../server/status.ts";
import { countsOfAll } from "./counts.ts";
import { healthOfAll } from "./health.ts";
import type { Supervisor } from "./supervisor.ts";

/** The admin port of all workers, which may still be starting. */
export function workersAdminSource(model: Model, supervisor: Supervisor): AdminSource {
  const report = statusReporter(model);
  const { name, version } = model.service;
  const health = (): Readonly<Record<string, string>> => {
    const found = healthOfAll(supervisor);
    const why = stateReason(supervisor);
    return why === undefined ? found : { ...found, runtime: why };
  };
  const state = (): ServiceState => {
    const phase = supervisor.phase;
    if (phase !== "running") return phase === "starting" ? "starting" : "shutting_down";
    return Object.keys(health()).length === 0 ? "ready" : "not_ready";
  };
  return {
    identity: { name, version },
    health,
    serving: () => supervisor.statuses.some(({ serving }) => serving),
    status: () =>
      report({
        state: state(),
        health: health(),
        counts: countsOfAll(supervisor.statuses.map(({ counts }) => counts)),
        flowsInFlight: supervisor.work.flows,
        workers: supervisor.workers,
      }),
  };
}

/** Why the service is not ready, whatever its connectors are; undefined while it runs. */
function stateReason({ phase, workers }: Supervisor): string | undefined {
  if (phase === "starting") return "is starting";
  if (phase === "closing") return "shutting down";
  const away = workers.filter(({ running }) => !running).map(({ worker }) => worker);
  if (away.length === 0) return undefined;
  return away.length === 1
    ? `worker ${away[0]} is not running`
    : `workers ${away.join(", ")} are not running`;
}
