/**
 * Runs a configuration as a standalone server: opens the ports of its connectors, reads files and
 * certificates.
 *
 * May import base/, contract/, hcl/, plugins/, runtime/ and transport/.
 */
import { getLogger } from "@logtape/logtape";
import { stat } from "node:fs/promises";
import type { HttpService } from "../contract/connector.ts";
import { ConnectorError } from "../base/errors.ts";
import type { Configuration } from "../runtime/load.ts";
import {
  assembleRuntime,
  type AssemblyOptions,
  type Runtime,
  type RuntimeOptions,
} from "../runtime/mod.ts";
import type { RuntimeCore } from "../runtime/core.ts";
import { createSite, type Site } from "../runtime/site.ts";
import { serveFolder } from "./static-files.ts";
import { readTls, type TlsIdentity } from "./tls.ts";

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Undefined for no TLS. */
  readonly tls: TlsIdentity | undefined;
  /** True if other processes listen on the same port; the kernel distributes the connections. */
  readonly shared: boolean;
}

/** One open port. */
export interface Listener {
  /** The number of the port. */
  readonly port: number;
  /** Accepts no new connections. Resolves when the open ones have ended. */
  stop(): Promise<void>;
  /** Closes the open connections. */
  close(): Promise<void>;
}

/**
 * Opens a port for a site. Calls `connected` for each new connection, on runtimes that report them.
 * Rejects with the system's error, which has a `code`.
 */
export type Listen = (
  site: Site,
  address: ListenAddress,
  connected?: () => void,
) => Promise<Listener>;

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

type Served = readonly [name: string, service: HttpService];

/**
 * Starts a service in an order that loses nothing: it opens databases, then ports, then consumes from
 * brokers.
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

/** Connectors that share a port. */
export interface Group {
  readonly address: ListenAddress;
  readonly members: readonly Served[];
}

/**
 * Groups the connectors by listener: those on one host and port share it.
 *
 * @throws {ConnectorError} `ports` names a connector that does not listen, or two ports for one
 * listener.
 */
export async function groupByListener(
  services: ReadonlyMap<string, HttpService>,
  { ports = {}, cluster }: Pick<ServeOptions & AssemblyOptions, "ports" | "cluster">,
): Promise<Group[]> {
  for (const name of Object.keys(ports)) {
    if (!services.has(name)) {
      throw new ConnectorError(name, "does not listen, so no port can be set");
    }
  }
  const groups = Map.groupBy(services, ([, { listen }]) => `${listen.host}:${listen.port}`);
  return await Promise.all([...groups.values()].map(async (members) => {
    const [, { listen }] = members[0];
    const moved = members.filter(([name]) => Object.hasOwn(ports, name)).map(([name]) => name);
    const wanted = new Set(moved.map((name) => ports[name]));
    if (wanted.size > 1) {
      const others = moved.slice(1).join(", ");
      throw new ConnectorError(
        moved[0],
        `shares its port with ${others}; set the same port for both`,
      );
    }
    const [port = listen.port] = wanted;
    const read = () => readTls(members);
    const name = `tls ${listen.host}:${listen.port}`;
    const tls = await (cluster?.readOnce(name, read) ?? read());
    const address = { host: listen.host, port, tls };
    return { members, address: { ...address, shared: cluster !== undefined } };
  }));
}

async function open(
  { address, members }: Group,
  runtime: RuntimeCore,
  { upgrader }: Pick<RuntimeOptions, "upgrader">,
  listen: Listen,
): Promise<Listener> {
  const services = members.map(([, service]) => service);
  for (const [name, { files }] of members) {
    if (files !== undefined) await requireFolder(name, files);
  }
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

/** The error for a port that the system refuses. */
export function cannotListen({ address: { host, port }, members }: Group, cause: unknown): Error {
  const message = `cannot listen on ${host}:${port}: ${why(cause)}`;
  return new ConnectorError(members[0][0], message, { code: "cannot-listen", cause });
}

async function requireFolder(name: string, folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) {
    throw new ConnectorError(name, `static: folder ${folder} does not exist`);
  }
}

function why(cause: unknown): string {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  switch (code) {
    case "EADDRINUSE":
      return "the port is in use; stop the program that uses it, or choose another port with --port";
    case "EACCES":
      return "this process has no permission to use the port";
    case "EADDRNOTAVAIL":
      return "this machine does not have the address";
    default:
      return String(message ?? cause);
  }
}

function addressesOf(
  { socket, files, routes }: HttpService,
  { host, port, tls }: ListenAddress,
): string[] {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  const authority = `${name.includes(":") ? `[${name}]` : name}:${port}`;
  const secure = tls === undefined ? "" : "s";
  return [
    ...(socket === undefined ? [] : [`ws${secure}://${authority}${socket.path}`]),
    ...(files === undefined && routes === undefined ? [] : [`http${secure}://${authority}`]),
  ];
}
