/**
 * Runs a configuration as a standalone server: opens the ports of its connectors, reads files and
 * certificates.
 *
 * May import base/, contract/, hcl/, plugins/, runtime/ and transport/.
 */
import { getLogger } from "@logtape/logtape";
import type { Configuration } from "../runtime/load.ts";
import {
  assembleRuntime,
  type AssemblyOptions,
  type Runtime,
  type RuntimeOptions,
} from "../runtime/mod.ts";
import type { RuntimeCore } from "../runtime/core.ts";
import { createSite } from "../runtime/site.ts";
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

/** The options of `serve`. */
export interface ServeOptions extends Omit<RuntimeOptions, "upgrader"> {
  /**
   * Ports that replace those of the configuration, by the name of a connector. Connectors on one port
   * move together. 0 for any free port.
   */
  readonly ports?: Readonly<Record<string, number>>;
  /**
   * The number of processes that serve together as one service, like `weir run --workers`. 1 by
   * default: this process. More require Linux, a configuration as text or files, and no options
   * other than `ports` and `cache`, since they cannot be sent to other processes.
   */
  readonly workers?: number;
  /**
   * A running service of this process that this one replaces. It is closed when this one has read its
   * certificates, tried its ports and opened its databases; then this one listens. If any of that
   * fails, `serve` rejects and the other service keeps running. It cannot be combined with `workers`.
   */
  readonly replaces?: Pick<Service, "ports" | "close">;
}

/** A running server. */
export interface Service {
  /** The runtime of the configuration. */
  readonly runtime: Runtime;
  /** The URLs of the connectors, such as `ws://localhost:3001/ws`, in the order of the connectors. */
  readonly addresses: readonly string[];
  /** The ports of the connectors that listen, by name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Stops listening, waits for the flows in flight, closes clients with 1001. */
  close(): Promise<void>;
}

/**
 * Starts a service in an order that loses nothing: it opens databases, then ports, then consumes from
 * brokers. A service that this one replaces is closed when all that can be done beside it is done.
 */
export async function startService(
  config: Configuration,
  options: Omit<ServeOptions, "workers"> & Pick<AssemblyOptions, "upgrader" | "cluster">,
  listen: Listen,
): Promise<Service> {
  const runtime = await assembleRuntime(config, options);
  const listeners: Listener[] = [];
  const close = async (): Promise<void> => {
    for (const listener of listeners) void listener.stop();
    try {
      await runtime.close();
    } finally {
      await Promise.all(listeners.map((listener) => listener.close()));
    }
  };
  try {
    // Finds wrong ports before anything has started.
    const groups = await groupByListener(runtime.services, options);
    await requireFolders(groups);
    const { replaces } = options;
    if (replaces !== undefined) {
      await requirePorts(groups, Object.values(replaces.ports));
      await runtime.prepare();
      await replaces.close();
    }
    await runtime.start();
    const ports: Record<string, number> = {};
    const addresses = new Map<string, readonly string[]>();
    for (const group of groups) {
      const listener = await open(group, runtime, options, listen);
      listeners.push(listener);
      for (const [name, service] of group.members) {
        ports[name] = listener.port;
        addresses.set(name, addressesOf(service, { ...group.address, port: listener.port }));
      }
    }
    await runtime.consume();
    const inOrder = [...runtime.services.keys()].flatMap((name) => addresses.get(name) ?? []);
    return { runtime, addresses: [...new Set(inOrder)], ports, close };
  } catch (error) {
    await close().catch((closing) => {
      getLogger(["weir"]).error("failed to close after a failed start: {error}", {
        error: closing,
      });
    });
    throw error;
  }
}

async function open(
  { address, members }: Group,
  runtime: RuntimeCore,
  { upgrader }: Pick<RuntimeOptions, "upgrader">,
  listen: Listen,
): Promise<Listener> {
  const services = members.map(([, service]) => service);
  const site = createSite({
    services,
    upgrader,
    serveFiles: serveFolder,
    identity: runtime.identity,
    health: () => runtime.health(),
  });
  try {
    return await listen(site, address);
  } catch (cause) {
    throw cannotListen({ address, members }, cause);
  }
}
