/**
 * Weir on Deno: as a standalone server, or embedded in `Deno.serve`.
 *
 * @example
 * ```ts
 * import { createRuntime } from "@weir/runtime/deno";
 *
 * const runtime = await createRuntime(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 3001
 *   }
 * `);
 * const server = Deno.serve({ port: 0 }, runtime.fetch);
 * await server.shutdown();
 * await runtime.close();
 * ```
 *
 * @module
 */
import { denoUpgrader } from "./transport/deno.ts";
import { type Configuration, loadConfig as load, type LoadOptions } from "./runtime/load.ts";
import type { Model } from "./model/mod.ts";
import type { SourceFile } from "./hcl/tree.ts";
import { createRuntime as create, type Runtime, type RuntimeOptions } from "./runtime/mod.ts";
import { denoHost } from "./server/deno.ts";
import { hostOptions } from "./server/files.ts";
import type { ServeOptions, Service } from "./server/mod.ts";
import { serveOn } from "./workers/mod.ts";

export { ConfigPathError, readConfigFiles } from "./server/files.ts";
export type { AdminAddress, ServeOptions, Service } from "./server/mod.ts";

/**
 * Runs a configuration as a server, which listens on the ports of its connectors. It
 * uses `node:http` and `ws`, which are faster on Deno than its own server and have more features.
 * If the `service` block has an `admin_port`, it listens there, too.
 *
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConnectorError} A port is in use, or a migration failed.
 */
export function serve(config: Configuration, options: ServeOptions = {}): Promise<Service> {
  return serveOn(denoHost, config, options);
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

/**
 * Creates a runtime like the one of the core. Its `fetch` upgrades with `Deno.upgradeWebSocket`, and it
 * reads environment variables and files, and imports plugins. It opens no port, the admin port
 * included.
 */
export function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  return create(config, { ...hostOptions, upgrader: denoUpgrader, ...options });
}
