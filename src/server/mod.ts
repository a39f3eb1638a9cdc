/**
 * Runs a configuration as a server of its own: listens where its connectors say, reads files,
 * keeps certificates.
 *
 * May import base/, contract/, hcl/, runtime/ and transport/.
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
  /** 0 takes a free one. */
  readonly port: number;
  /** Undefined where it speaks no TLS. */
  readonly tls: TlsIdentity | undefined;
  /** True where other processes listen there, too, and the kernel shares what comes. */
  readonly shared: boolean;
}

/** One open port. */
export interface Listener {
  /** The port that was taken. */
  readonly port: number;
  /** Takes no new connections; those that are open go on. Resolves when they have all ended. */
  stop(): Promise<void>;
  /** Ends what is left. */
  close(): Promise<void>;
}

/**
 * Opens a port for a site, and says of each connection that it has come, where it knows. Rejects
 * with the system's error, whose `code` says why.
 */
export type Listen = (
  site: Site,
  address: ListenAddress,
  connected?: () => void,
) => Promise<Listener>;

/** What `serve` takes. */
export interface ServeOptions extends Omit<RuntimeOptions, "upgrader"> {
  /** Other ports by the name of a connector; moves the whole listener that it shares. 0 takes a free one. */
  readonly ports?: Readonly<Record<string, number>>;
  /**
   * How many processes serve together, as one service: what `--workers` is for `weir run`. 1 by
   * default: this process. With more, which takes Linux, the configuration is text or files, and
   * other options than `ports` cannot be given, since they would not reach the other processes.
   */
  readonly workers?: number;
}

/** A running server. */
export interface Service {
  /** What runs. */
  readonly runtime: Runtime;
  /** Where every connector can be reached, such as `ws://localhost:3001/ws`, in their order. */
  readonly addresses: readonly string[];
  /** The ports of the connectors that listen, by name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Closes the listeners, ends the flows in flight, closes clients with 1001. */
  close(): Promise<void>;
}

type Served = readonly [name: string, service: HttpService];

/**
 * Starts everything in an order in which nothing is lost: databases first, then the ports, then
 * brokers are consumed.
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
    // What is wrong with a port is found before anything has begun.
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
      getLogger(["weir"]).error("closing failed, too: {error}", { error: closing });
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
 * Connectors on one host and port share a listener, and move together.
 *
 * @throws {ConnectorError} A port was given for what does not listen, or two for one listener.
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
      throw new ConnectorError(moved[0], `shares its port with ${others}: they move together`);
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

/** What is told where the system refuses a port. */
export function cannotListen({ address: { host, port }, members }: Group, cause: unknown): Error {
  const message = `cannot listen on ${host}:${port}: ${why(cause)}`;
  return new ConnectorError(members[0][0], message, { cause });
}

async function requireFolder(name: string, folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new ConnectorError(name, `static: there is no folder ${folder}`);
}

function why(cause: unknown): string {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  switch (code) {
    case "EADDRINUSE":
      return "the port is taken; stop what listens there, or choose another with --port";
    case "EACCES":
      return "the port needs more rights than this process has";
    case "EADDRNOTAVAIL":
      return "this machine has no such address";
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
