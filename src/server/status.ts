/** The body of `/status` on the admin port, which `weir status` prints. */
import process from "node:process";
import { VERSION } from "../base/version.ts";
import type { Model } from "../model/mod.ts";
import type { Counts } from "../runtime/core.ts";

/** The state of a service. */
export type ServiceState = "starting" | "ready" | "not_ready" | "shutting_down";

/** How a service is. */
export interface StatusReport {
  readonly service: { readonly name?: string | undefined; readonly version?: string | undefined };
  /** The version of Weir. */
  readonly weir: string;
  /** Such as `deno 2.9.6`. */
  readonly runtime: string;
  readonly uptime_seconds: number;
  readonly state: ServiceState;
  /** Why it is not ready, beside its connectors: `is starting`, `worker 2 is not running`. */
  readonly reasons: readonly string[];
  readonly connectors: readonly ConnectorStatus[];
  /** The names of all flows. */
  readonly flows: readonly string[];
  /** The runs of flows that have begun and not ended. */
  readonly flows_in_flight: number;
  /** The counters of all connectors. */
  readonly counts: Counts;
  /** Absent for a service of one process. */
  readonly workers?: readonly WorkerStatus[];
}

/** How a connector is. */
export interface ConnectorStatus {
  readonly name: string;
  readonly type: string;
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
}

/** How a worker is. */
export interface WorkerStatus {
  readonly worker: number;
  readonly running: boolean;
  /** How often it was started again. */
  readonly restarts: number;
}

/** What a report is made of. */
export interface StatusParts {
  readonly state: ServiceState;
  readonly health: Readonly<Record<string, string>>;
  readonly counts: Counts;
  readonly flowsInFlight: number;
  readonly workers?: readonly WorkerStatus[];
}

/** Makes the reports of one service. The uptime counts from this call. */
export function statusReporter(
  { service, connectors, flows }: Model,
): (parts: StatusParts) => StatusReport {
  const startedAt = performance.now();
  const { name, version } = service;
  return ({ state, health, counts, flowsInFlight, workers }) => {
    const statuses = [...connectors.values()].map(({ name, type }): ConnectorStatus => {
      const reason = Object.hasOwn(health, name) ? health[name] : undefined;
      return { name, type, ready: reason === undefined, ...(reason !== undefined && { reason }) };
    });
    return {
      service: { name, version },
      weir: VERSION,
      runtime: runtimeName(),
      uptime_seconds: Math.floor((performance.now() - startedAt) / 1_000),
      state,
      reasons: Object.entries(health).filter(([name]) => !connectors.has(name))
        .map(([, reason]) => reason),
      connectors: statuses,
      flows: flows.map(({ name }) => name),
      flows_in_flight: flowsInFlight,
      counts,
      ...(workers !== undefined && { workers }),
    };
  };
}

function runtimeName(): string {
  const { deno, bun, node } = process.versions;
  return deno !== undefined ? `deno ${deno}` : bun !== undefined ? `bun ${bun}` : `node ${node}`;
}
