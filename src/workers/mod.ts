/**
 * Serves a configuration in this process, or starts and supervises several processes that share its
 * ports and act as one service.
 *
 * May import base/, cluster/, contract/, flow/, hcl/, metrics/, model/, runtime/ and server/.
 */
import type { Configuration } from "../runtime/load.ts";
import type { Host } from "../server/host.ts";
import { type ServeOptions, type Service, startService } from "../server/mod.ts";

/** Serves in this process, or in as many processes as `workers` says. */
export async function serveOn(
  host: Host,
  config: Configuration,
  { workers = 1, ...options }: ServeOptions,
): Promise<Service> {
  if (workers === 1) {
    return await startService(config, { ...host.options, ...options }, host.listen);
  }
  // On demand, since most services are one process.
  const { startWorkers } = await import("./service.ts");
  return await startWorkers(host, config, { workers, ...options });
}
