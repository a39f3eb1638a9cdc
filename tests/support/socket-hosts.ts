/** Every way in which Weir's sockets are served on the runtime that runs the tests. */
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { STANDARD_FEATURES } from "../../src/transport/standard.ts";
import type { Runtime, RuntimeOptions } from "../../src/runtime/mod.ts";
import type { Service } from "../../src/server/mod.ts";
import type { SocketFeatures } from "../../src/transport/socket.ts";

/** A configuration at work. Its listening connectors all have port 0. */
export interface RunningHost {
  readonly runtime: Runtime;
  readonly port: number;
  /** Only `serve` opens an admin port. */
  readonly adminPort?: number | undefined;
  /** Ends the runtime first, then the server. */
  close(): Promise<void>;
}

/** A way to serve. */
export interface Host {
  /** Such as `bun embedded`. */
  readonly name: string;
  /** Whose sockets these are. */
  readonly sockets: "ws" | "bun" | "deno";
  /** What is not the runtime's own `serve`. */
  readonly embedded: boolean;
  /** True where an upgrade to something else, on no WebSocket path, is an ordinary request. */
  readonly ignoresOtherUpgrades: boolean;
  /** The prefix of the connectors' paths. */
  readonly mount: string;
  /** What its sockets can do, as documented. */
  readonly features: SocketFeatures;
  start(config: string, options?: RuntimeOptions): Promise<RunningHost>;
}

const MOUNT = "/live";

const ALL_FEATURES: SocketFeatures = {
  ping: true,
  terminate: true,
  pause: true,
  frameLimits: true,
  closeCodes: true,
  handshakeChecks: true,
};

/** The hosts of the runtime that runs this. */
export const hosts: readonly Host[] = "Deno" in globalThis
  ? await denoHosts()
  : "Bun" in globalThis
  ? await bunHosts()
  : await nodeHosts();

async function nodeHosts(): Promise<Host[]> {
  const { serve, createRuntime, attach } = await import("../../src/node.ts");
  const common = { sockets: "ws", features: ALL_FEATURES } as const;
  const embed = (mount: string): Host["start"] => async (config, options) => {
    const runtime = await createRuntime(config, options);
    const fetch = mount === "" ? runtime.fetch : new Hono().route(mount, runtime.app).fetch;
    const server = createServer(getRequestListener(fetch, { overrideGlobalObjects: false }));
    const detach = attach(server, runtime, { mount });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      runtime,
      port: (server.address() as AddressInfo).port,
      async close() {
        await runtime.close();
        detach();
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  };
  // A `node:http` server with an `upgrade` listener hands every upgrade to it.
  const embedded = { ...common, embedded: true, ignoresOtherUpgrades: false };
  return [
    served("node serve", serve, common),
    { ...embedded, name: "node attach", mount: "", start: embed("") },
    { ...embedded, name: "node attach and Hono", mount: MOUNT, start: embed(MOUNT) },
  ];
}

/** The part of `Bun` that embedding needs. */
interface BunGlobal {
  serve(options: { readonly port: number; readonly fetch: unknown; readonly websocket: unknown }): {
    readonly port: number;
    stop(force: boolean): Promise<void>;
  };
}

async function bunHosts(): Promise<Host[]> {
  const { serve, createRuntime } = await import("../../src/bun.ts");
  const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };
  const common = { sockets: "bun", features: ALL_FEATURES } as const;
  const embed = (mount: string): Host["start"] => async (config, options) => {
    const runtime = await createRuntime(config, options);
    const fetch = mount === "" ? runtime.fetch : new Hono().route(mount, runtime.app).fetch;
    const server = Bun.serve({ port: 0, fetch, websocket: runtime.websocket });
    return {
      runtime,
      port: server.port,
      async close() {
        await runtime.close();
        await server.stop(true);
      },
    };
  };
  const embedded = { ...common, embedded: true, ignoresOtherUpgrades: true };
  return [
    served("bun serve", serve, common),
    { ...embedded, name: "bun embedded", mount: "", start: embed("") },
    { ...embedded, name: "bun Hono", mount: MOUNT, start: embed(MOUNT) },
  ];
}

async function denoHosts(): Promise<Host[]> {
  const { serve, createRuntime } = await import("../../src/deno.ts");
  const embed = (mount: string): Host["start"] => async (config, options) => {
    const runtime = await createRuntime(config, options);
    const app = new Hono().route(mount, runtime.app);
    const fetch = mount === "" ? runtime.fetch : app.fetch.bind(app);
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, fetch);
    return {
      runtime,
      port: server.addr.port,
      async close() {
        await runtime.close();
        await server.shutdown();
      },
    };
  };
  const embedded = {
    sockets: "deno",
    features: STANDARD_FEATURES,
    embedded: true,
    ignoresOtherUpgrades: true,
  } as const;
  return [
    served("deno serve", serve, { sockets: "ws", features: ALL_FEATURES }),
    { ...embedded, name: "deno embedded", mount: "", start: embed("") },
    { ...embedded, name: "deno Hono", mount: MOUNT, start: embed(MOUNT) },
  ];
}

function served(
  name: string,
  serve: (config: string, options?: RuntimeOptions) => Promise<Service>,
  common: Pick<Host, "sockets" | "features">,
): Host {
  return {
    ...common,
    name,
    embedded: false,
    ignoresOtherUpgrades: true,
    mount: "",
    async start(config, options) {
      const service = await serve(config, options);
      const [port] = Object.values(service.ports);
      const { runtime, admin, close } = service;
      return { runtime, port, adminPort: admin?.port, close };
    },
  };
}
