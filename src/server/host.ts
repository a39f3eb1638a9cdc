/** What a runtime brings to serve with, and serving with it. */
import type { Configuration } from "../load.ts";
import type { RuntimeOptions } from "../runtime.ts";
import { type Listen, type ServeOptions, type Service, startService } from "./service.ts";

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

/** Serves in this process, or with so many workers. */
export async function serveOn(
  host: Host,
  config: Configuration,
  { workers = 1, ...options }: ServeOptions,
): Promise<Service> {
  if (workers === 1) {
    return await startService(config, { ...host.options, ...options }, host.listen);
  }
  // On demand: most services are one process.
  const { startWorkers } = await import("../workers/service.ts");
  return await startWorkers(host, config, { workers, ...options });
}
