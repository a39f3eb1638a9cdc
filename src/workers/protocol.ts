/** The calls between a supervisor and the processes of its workers. All arguments are JSON. */
import type { LogLevel } from "@logtape/logtape";
import type { CoordinatorFunctions, MemberFunctions } from "../cluster/mod.ts";
import type { MetricsData } from "../contract/metrics.ts";
import type { SourceFile } from "../hcl/tree.ts";
import type { Counts } from "../runtime/core.ts";
import type { CachedText, Inputs } from "./inputs.ts";
import type { LinkAddress } from "./link-socket.ts";
import type { RelayedRecord } from "./log.ts";
import type { Result } from "./wire.ts";

/** What a worker runs. */
export interface StartOrder {
  /** The number of the worker in logs, from 1. */
  readonly worker: number;
  readonly leader: boolean;
  /** Its id as an instance of the service. */
  readonly instance: string;
  /** How it reaches the other workers. */
  readonly link: LinkAddress;
  readonly files: readonly SourceFile[];
  /** What the parser has made of the files. */
  readonly cache: readonly CachedText[];
  /** The variables and files that the configuration reads, as they were when the service started. */
  readonly inputs: Inputs;
  readonly ports: Readonly<Record<string, number>>;
  /** The lowest level that is logged; undefined for no log. */
  readonly logLevel: LogLevel | undefined;
  /** Whether the worker has metrics. */
  readonly metrics: boolean;
}

/** Where a worker listens. */
export interface Started {
  readonly addresses: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
}

/** The counters and the health of a worker. */
export interface Status {
  readonly counts: Counts;
  readonly health: Readonly<Record<string, string>>;
  /** Whether it serves clients, whatever connectors are away. */
  readonly serving: boolean;
  /** The number of flows in flight. */
  readonly flows: number;
}

/** The methods of a runtime that are called in one of the workers. */
export type RuntimeCall = "broadcast" | "sendToRoom" | "sendToUser" | "presence" | "publish";

/** What the supervisor calls in a worker. */
export interface WorkerFunctions extends MemberFunctions {
  start(order: StartOrder): Promise<Result<Started>>;
  /** `args` is a list in JSON. */
  call(method: RuntimeCall, args: string): Promise<Result<unknown>>;
  metrics(): Promise<Result<MetricsData>>;
  close(): Promise<Result<null>>;
  /** Ends the process. */
  end(): void;
}

/** What a worker calls in the supervisor. */
export interface SupervisorFunctions extends CoordinatorFunctions {
  /** The worker is about to listen: from now on clients may wait for it. */
  listening(): void;
  report(status: Status): void;
  log(record: RelayedRecord): void;
}
