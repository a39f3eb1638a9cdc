/** One worker as its supervisor knows it. */
import type { RemoteMember } from "../cluster/mod.ts";
import type { LinkAddress } from "./link-socket.ts";
import type { WorkerProcess } from "./process.ts";
import type { Status } from "./protocol.ts";

/** One worker, which is one process after another. */
export interface WorkerState {
  /** Its number, from 1. */
  readonly worker: number;
  process: WorkerProcess | undefined;
  /** The process as the other workers reach it. */
  member: RemoteMember | undefined;
  /** The id of the process as an instance, and how it reaches the hub. */
  instance: string;
  link: LinkAddress | undefined;
  /** True when it has started. */
  ready: boolean;
  status: Status;
  startedAt: number;
  /** How often in a row it ended soon after its start. */
  failures: number;
  /** How often it was started again. */
  restarts: number;
  restart: ReturnType<typeof setTimeout> | undefined;
  stopHealthChecks: (() => void) | undefined;
}

/** The status of a worker that has not reported one. `health` says why. */
export function withoutReport(health: Status["health"] = {}): Status {
  return { counts: {}, health, serving: false, flows: 0 };
}

/** A worker that has not been started. */
export function newState(worker: number): WorkerState {
  return {
    worker,
    process: undefined,
    member: undefined,
    instance: "",
    link: undefined,
    ready: false,
    status: withoutReport(),
    startedAt: 0,
    failures: 0,
    restarts: 0,
    restart: undefined,
    stopHealthChecks: undefined,
  };
}
