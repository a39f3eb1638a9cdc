/**
 * Weir on Node: as a standalone server, or attached to a `node:http` server.
 *
 * @example
 * ```ts
 * import { serve } from "@weir/runtime/node";
 *
 * const service = await serve(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 0
 *   }
 * `);
 * console.log(service.addresses);
 * await service.close();
 * ```
 *
 * @module
 */
import "./server/node-version.ts";
import type { Server } from "node:http";
import { upgradeSockets } from "./transport/node-upgrade.ts";
import { type Configuration, loadConfig as load, type LoadOptions } from "./runtime/load.ts";
import type { Model } from "./model/mod.ts";
import type { SourceFile } from "./hcl/tree.ts";
import { createRuntime as create, type Runtime, type RuntimeOptions } from "./runtime/mod.ts";
import { hostOptions } from "./server/files.ts";
import type { ServeOptions, Service } from "./server/mod.ts";
import { nodeHost } from "./server/node.ts";
import { serveOn } from "./workers/mod.ts";

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
  return serveOn(nodeHost, config, options);
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
 * Creates a runtime like the one of the core, which reads environment variables and files, and
 * imports plugins. It opens no port, the admin port included.
 */
export function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  return create(config, { ...hostOptions, ...options });
}

/** The options of `attach`. */
export interface AttachOptions {
  /** A prefix of the connectors' paths, such as `/live`. None by default. */
  readonly mount?: string;
}

/**
 * Serves the WebSockets of a runtime on an existing server. `runtime.fetch` and `runtime.app` serve the
 * other paths. An upgrade request for another path is left to the other listeners of the server, and
 * refused with 404 if there are none. Returns a function that detaches the runtime.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http";
 * import { attach, createRuntime } from "@weir/runtime/node";
 *
 * const runtime = await createRuntime(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 3001
 *   }
 * `);
 * const server = createServer((_request, response) => response.end("hello"));
 * const detach = attach(server, runtime);
 * detach();
 * await runtime.close();
 * ```
 */
export function attach(server: Server, runtime: Runtime, options: AttachOptions = {}): () => void {
  const mount = options.mount?.replace(/\/+$/, "") ?? "";
  const endpoints = new Map(runtime.endpoints.map((endpoint) => [mount + endpoint.path, endpoint]));
  return upgradeSockets(server, (pathname) => endpoints.get(pathname));
}
