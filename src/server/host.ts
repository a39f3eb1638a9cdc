/** What a runtime brings to serve with. */
import type { RuntimeOptions } from "../runtime/mod.ts";
import type { Listen } from "./mod.ts";

/** The argument that makes an entrypoint a worker; no path and no command can be it. */
export const WORKER_ARGUMENT = "--worker";

/** More than there are processors in a machine helps nobody. */
export const MOST_WORKERS = 256;

/** What differs from runtime to runtime. */
export interface Host {
  /** The URL of the entrypoint: what other processes of a service are started with. */
  readonly entry: string;
  /** How to read environment and files, and to upgrade requests. */
  readonly options: RuntimeOptions;
  readonly listen: Listen;
}
