/**
 * Runs a configuration as a standalone server: opens the ports of its connectors and the admin port,
 * reads files and certificates.
 *
 * May import base/, contract/, hcl/, model/, plugins/, runtime/ and transport/.
 */
import { getLogger } from "@logtape/logtape";
import { type Configuration, modelOf } from "../runtime/load.ts";
import {
  assembleRuntime,
  type AssemblyOptions,
  type Runtime,
  type RuntimeOptions,
} from "../runtime/mod.ts";
import type { RuntimeCore } from "../runtime/core.ts";
import type { HealthSource } from "../runtime/health.ts";
import { createSite } from "../runtime/site.ts";
import type { AdminModel } from "../model/mod.ts";
import type { AdminAddress, AdminPort } from "./admin-port.ts";
import {
  addressesOf,
  cannotListen,
  type Group,
  groupByListener,
  type Listen,
  type Listener,
  requireFolders,
  requirePorts,
} from "./listeners.ts";
import { serveFolder } from "./static-files.ts";

export type { AdminAddress } from "./admin-port.ts";

/** The options of `serve`. */
export interface ServeOptions extends Omit<RuntimeOptions, "upgrader"> {
  /**
   * Ports that replace those of the configuration, by the name of a connector. Connectors on one port
   * move together. 0 for any free port.
   */
  readonly ports?: Readonly<Record<string, number>>;
  /** The port that replaces the `admin_port` of the configuration, which must have one. */
  readonly adminPort?: number | undefined;
  /**
   * The number of processes that serve together as one service, like `weir run --workers`. 1 by
   * default: this process. More require Linux, a configuration as text or files, and no options
   * other than `ports`, `adminPort`, `cache` and `metrics`, since they cannot be sent to other
   * processes.
   */
  readonly workers?: number;
  /**
   * A running service of this process that this one replaces. It is closed when this one has read its
   * certificates, tried its ports and opened its databases; then this one listens. If any of that
   * fails, `serve` rejects and the other service keeps running. It cannot be combined with `workers`.
   */
  readonly replaces?: Pick<Service, "ports" | "close"> & Partial<Pick<Service, "admin">>;
}

/** A running server. */
export interface Service {
  /** The runtime of the configuration. */
  readonly runtime: Runtime;
  /** The URLs of the connectors, such as `ws://localhost:3001/ws`, in the order of the connectors. */
  readonly addresses: readonly string[];
  /** The ports of the connectors that listen, by name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Where the admin port is; undefined for a configuration without one. */
  readonly admin: AdminAddress | undefined;
  /** Stops listening, waits for the flows in flight, closes clients with 1001. */
  close(): Promise<void>;
}

/** A service of this process. */
export interface StartedService extends Service {
  readonly runtime: RuntimeCore;
}

/**
 * Starts a service in an order that loses nothing: it opens the admin port, databases, then ports, then
 * consumes from brokers. A service that this one replaces is closed when all that can be done beside
 * it is done. A worker opens no admin port, since its supervisor has it.
 */
export async function startService(
  config: Configuration,
  options: Omit<ServeOptions, "workers"> & Pick<AssemblyOptions, "upgrader" | "cluster">,
  listen: Listen,
): Promise<StartedService> {
  const model = await modelOf(config, options);
  const adminModel = adminOf(model.service.admin, options.adminPort);
  const metrics = options.metrics ?? adminModel !== undefined;
  const runtime = await assembleRuntime(model, { ...options, metrics });
  const listeners: Listener[] = [];
  let admin: AdminPort | undefined;
  let started = false;
  const close = async (): Promise<void> => {
    for (const listener of listeners) void listener.stop();
    try {
      await runtime.close();
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()));
      // Last, so that it tells how the shutdown goes on.
      await admin?.close();
    }
  };
  try {
    // Finds wrong ports before anything has started.
    const groups = await groupByListener(runtime.services, options);
    await requireFolders(groups);
    const { replaces } = options;
    if (replaces !== undefined) {
      const held = [...Object.values(replaces.ports), replaces.admin?.port ?? []].flat();
      await requirePorts(groups, held);
      if (adminModel !== undefined) {
        const { requireAdminPort } = await import("./admin-port.ts");
        await requireAdminPort(adminModel, held);
      }
      await runtime.prepare();
      await replaces.close();
    }
    if (adminModel !== undefined && options.cluster === undefined) {
      // On demand, since most services have none.
      const { openAdminPort } = await import("./admin-port.ts");
      const { adminSource } = await import("./admin-source.ts");
      const source = adminSource(model, runtime, () => started);
      admin = await openAdminPort(adminModel, source, listen);
    }
    await runtime.start();
    const ports: Record<string, number> = {};
    const addresses = new Map<string, readonly string[]>();
    for (const group of groups) {
      const health = adminModel === undefined ? runtime.healthSource : undefined;
      const listener = await open(group, health, options, listen);
      listeners.push(listener);
      for (const [name, service] of group.members) {
        ports[name] = listener.port;
        addresses.set(name, addressesOf(service, { ...group.address, port: listener.port }));
      }
    }
    await runtime.consume();
    started = true;
    const inOrder = [...runtime.services.keys()].flatMap((name) => addresses.get(name) ?? []);
    const unique = [...new Set(inOrder)];
    return { runtime, addresses: unique, ports, admin: admin?.address, close };
  } catch (error) {
    await close().catch((closing) => {
      getLogger(["weir"]).error("failed to close after a failed start: {error}", {
        error: closing,
      });
    });
    throw error;
  }
}

/**
 * The admin port of a configuration, with the port of the options, if they have one.
 *
 * @throws {TypeError} The options have one, and the configuration has no admin port.
 */
export function adminOf(
  admin: AdminModel | undefined,
  port: number | undefined,
): AdminModel | undefined {
  if (port === undefined) return admin;
  if (admin === undefined) throw new TypeError("adminPort: the configuration has no admin_port");
  return { ...admin, port };
}

async function open(
  { address, members }: Group,
  health: HealthSource | undefined,
  { upgrader }: Pick<RuntimeOptions, "upgrader">,
  listen: Listen,
): Promise<Listener> {
  const services = members.map(([, service]) => service);
  const site = createSite({ services, upgrader, serveFiles: serveFolder, health });
  try {
    return await listen(site, address);
  } catch (cause) {
    throw cannotListen({ address, members }, cause);
  }
}
