/** The calls between a supervisor and the processes of its workers. All arguments are JSON. */
import type { LogLevel } from "@logtape/logtape";
import type { CoordinatorFunctions, MemberFunctions } from "../cluster/mod.ts";
import type { SourceFile } from "../hcl/tree.ts";
import type { Counts } from "../runtime/core.ts";
import type { CachedText, Inputs } from "./inputs.ts";
import type { RelayedRecord } from "./log.ts";
import type { Result } from "./wire.ts";

/** What a worker runs. */
export interface StartOrder {
  /** The number of the worker in logs, from 1. */
  readonly worker: number;
  readonly leader: boolean;
  readonly files: readonly SourceFile[];
  /** What the parser has made of the files. */
  readonly cache: readonly CachedText[];
  /** The variables and files that the configuration reads, as they were when the service started. */
  readonly inputs: Inputs;
  readonly ports: Readonly<Record<string, number>>;
  /** The lowest level that is logged; undefined for no log. */
  readonly logLevel: LogLevel | undefined;
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
}

/** The methods of a runtime that are called in one of the workers. */
export type RuntimeCall = "broadcast" | "sendToRoom" | "sendToUser" | "publish";

/** What the supervisor calls in a worker. */
export interface WorkerFunctions extends MemberFunctions {
  start(order: StartOrder): Promise<Result<Started>>;
  /** `args` is a list in JSON. */
  call(method: RuntimeCall, args: string): Promise<Result<unknown>>;
  close(): Promise<Result<null>>;
  /** Ends the process. */
  end(): void;
}

/** What a worker calls in the supervisor. */
export interface SupervisorFunctions extends CoordinatorFunctions {
  report(status: Status): void;
  log(record: RelayedRecord): void;
}
