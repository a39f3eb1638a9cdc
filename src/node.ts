/**
 * Weir on Node 24 and later: as a standalone server, or attached to a `node:http` server. Run as a
 * program, it is the `weir` command.
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
import type { Server } from "node:http";
import module from "node:module";
import { join } from "node:path";
import { upgradeSockets } from "./transport/node-upgrade.ts";
import type { Configuration } from "./runtime/load.ts";
import type { Runtime, RuntimeOptions } from "./runtime/mod.ts";
import { cacheFolder, makePrivate } from "./server/cache-folder.ts";
import { hostOptions } from "./server/files.ts";
import type { Host } from "./server/host.ts";
import type { ServeOptions, Service } from "./server/mod.ts";

export { ConfigPathError, readConfigFiles } from "./server/files.ts";
export type { ServeOptions, Service } from "./server/mod.ts";

/** Imports on demand, as most of this file does, so that the compile cache is enabled before. */
async function loadHost(): Promise<Host> {
  const { listenNode } = await import("./server/node.ts");
  return { entry: import.meta.url, options: hostOptions, listen: listenNode };
}

/**
 * Runs a configuration as a server, which listens on the ports of its connectors.
 *
 * @throws {ConfigError} The configuration has errors.
 * @throws {ConnectorError} A port is in use, or a migration failed.
 */
export async function serve(config: Configuration, options: ServeOptions = {}): Promise<Service> {
  const { serveOn } = await import("./workers/mod.ts");
  return await serveOn(await loadHost(), config, options);
}

/** Creates a runtime like the one of the core, which reads environment variables and files. */
export async function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const { createRuntime: create } = await import("./runtime/mod.ts");
  return await create(config, { ...hostOptions, ...options });
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

if (import.meta.main) {
  const folder = cacheFolder();
  const compiled = folder && join(folder, "node");
  // The function does not exist on Deno, which runs the examples of these comments.
  if (compiled !== undefined && makePrivate(compiled)) module.enableCompileCache?.(compiled);
  const { main } = await import("./commands/mod.ts");
  await main(serve, await loadHost());
}
