/**
 * Weir on Bun: as a server of its own, or embedded in `Bun.serve`. Started as a program it is the
 * `weir` command.
 *
 * @example
 * ```ts ignore
 * import { createRuntime } from "@weir/runtime/bun";
 *
 * const runtime = await createRuntime(await Bun.file("live.hcl").text());
 * Bun.serve({ port: 3000, fetch: runtime.fetch, websocket: runtime.websocket });
 * ```
 *
 * @module
 */
import { bunUpgrader, type BunWebSocketHandler, bunWebSocketHandler } from "./transport/bun.ts";
import { main } from "./commands/mod.ts";
import type { Configuration } from "./runtime/load.ts";
import { createRuntime as create, type Runtime, type RuntimeOptions } from "./runtime/mod.ts";
import { hostOptions } from "./server/files.ts";
import type { Host } from "./server/host.ts";
import { withDescriptorLimit } from "./server/descriptor-limit.ts";
import { listenBun } from "./server/bun.ts";
import type { ServeOptions, Service } from "./server/mod.ts";
import { serveOn } from "./workers/mod.ts";

export type { BunSocket, BunSocketData, BunWebSocketHandler } from "./transport/bun.ts";
export { ConfigPathError, readConfigFiles } from "./server/files.ts";
export type { ServeOptions, Service } from "./server/mod.ts";

const host: Host = {
  entry: import.meta.url,
  options: { ...hostOptions, upgrader: bunUpgrader },
  listen: withDescriptorLimit(listenBun),
};

/**
 * Runs a configuration as a server that listens where its connectors say.
 *
 * @throws {ConfigError} The configuration cannot run.
 * @throws {ConnectorError} A port is taken, a migration was refused.
 */
export function serve(config: Configuration, options: ServeOptions = {}): Promise<Service> {
  return serveOn(host, config, options);
}

/** A runtime that Bun can serve. */
export type BunRuntime = Runtime & {
  /** What `Bun.serve` takes as `websocket`. */
  readonly websocket: BunWebSocketHandler;
};

/**
 * `createRuntime` of the core, whose `fetch` upgrades through Bun's server, and which reads this
 * machine's environment and files.
 */
export async function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<BunRuntime> {
  const runtime = await create(config, { ...hostOptions, upgrader: bunUpgrader, ...options });
  return Object.assign(runtime, { websocket: bunWebSocketHandler(runtime.endpoints) });
}

if (import.meta.main) await main(serve, host);
