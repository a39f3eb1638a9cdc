/**
 * Weir on Bun: as a standalone server, or embedded in `Bun.serve`.
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
import { type Configuration, loadConfig as load, type LoadOptions } from "./runtime/load.ts";
import type { Model } from "./model/mod.ts";
import type { SourceFile } from "./hcl/tree.ts";
import { createRuntime as create, type Runtime, type RuntimeOptions } from "./runtime/mod.ts";
import { bunHost } from "./server/bun.ts";
import { hostOptions } from "./server/files.ts";
import type { ServeOptions, Service } from "./server/mod.ts";
import { serveOn } from "./workers/mod.ts";

export type { BunSocket, BunSocketData, BunWebSocketHandler } from "./transport/bun.ts";
export { ConfigPathError, readConfigFiles } from "./server/files.ts";
export type { AdminAddress, ServeOptions, Service } from "./server/mod.ts";

/**
 * Runs a configuration as a server, which listens on the ports of its connectors.
 * If the `service` block has an `admin_port`, it listens there, too.
 *
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConnectorError} A port is in use, or a migration failed.
 */
export function serve(config: Configuration, options: ServeOptions = {}): Promise<Service> {
  return serveOn(bunHost, config, options);
}

/**
 * Loads and checks a configuration like the function of the core. It reads environment variables and
 * files, and imports plugins.
 *
 * @throws {ConfigError} The configuration has problems. The error lists all of them.
 */
export function loadConfig(
  source: string | readonly SourceFile[],
  options: LoadOptions = {},
): Promise<Model> {
  return load(source, { ...hostOptions, ...options });
}

/** A runtime for `Bun.serve`. */
export type BunRuntime = Runtime & {
  /** The `websocket` option of `Bun.serve`. */
  readonly websocket: BunWebSocketHandler;
};

/**
 * Creates a runtime like the one of the core. Its `fetch` upgrades with Bun's server, and it reads
 * environment variables and files, and imports plugins.
 */
export async function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<BunRuntime> {
  const runtime = await create(config, { ...hostOptions, upgrader: bunUpgrader, ...options });
  return Object.assign(runtime, { websocket: bunWebSocketHandler(runtime.endpoints) });
}
