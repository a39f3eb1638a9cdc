/** What a runtime brings to serve with. */
import type { RuntimeOptions } from "../runtime/mod.ts";
import type { Listen } from "./mod.ts";

/** The first argument of a process that is started as a worker. No path and no command equals it. */
export const WORKER_ARGUMENT = "--worker";

/** The largest number of workers. */
export const MAX_WORKERS = 256;

/** What differs between the runtimes. */
export interface Host {
  /** The URL of the entrypoint, with which workers are started. */
  readonly entry: string;
  /** How to read the environment and files, and how to upgrade requests. */
  readonly options: RuntimeOptions;
  readonly listen: Listen;
}
