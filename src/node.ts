/**
 * Weir on Node 24 and later: as a server of its own, or attached to a `node:http` server. Started as
 * a program it is the `weir` command.
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

/** Loaded on demand, as is most of this file: a program can then be asked to keep what it compiles. */
async function loadHost(): Promise<Host> {
  const { listenNode } = await import("./server/node.ts");
  return { entry: import.meta.url, options: hostOptions, listen: listenNode };
}

/**
 * Runs a configuration as a server that listens where its connectors say.
 *
 * @throws {ConfigError} The configuration cannot run.
 * @throws {ConnectorError} A port is taken, a migration was refused.
 */
export async function serve(config: Configuration, options: ServeOptions = {}): Promise<Service> {
  const { serveOn } = await import("./workers/mod.ts");
  return await serveOn(await loadHost(), config, options);
}

/** `createRuntime` of the core, which reads this machine's environment and files. */
export async function createRuntime(
  config: Configuration,
  options: RuntimeOptions = {},
): Promise<Runtime> {
  const { createRuntime: create } = await import("./runtime/mod.ts");
  return await create(config, { ...hostOptions, ...options });
}

/** What `attach` takes. */
export interface AttachOptions {
  /** What stands in front of the connectors' paths, such as `/live`. Nothing by default. */
  readonly mount?: string;
}

/**
 * Serves a runtime's WebSockets on an existing server; its other paths come through
 * `runtime.fetch` or `runtime.app`. An upgrade for another path is left to the server's other
 * listeners, and refused with 404 where there are none. Returns a function that detaches.
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
  // Deno, which runs the examples of these comments, knows the module without this function.
  if (compiled !== undefined && makePrivate(compiled)) module.enableCompileCache?.(compiled);
  const { main } = await import("./commands/mod.ts");
  await main(serve, await loadHost());
}
