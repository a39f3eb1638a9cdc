/** The ports of a server: which connectors share one, and whether it can be used. */
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import type { Cluster } from "../contract/cluster.ts";
import type { HttpService } from "../contract/connector.ts";
import { ConnectorError } from "../base/errors.ts";
import type { Site } from "../runtime/site.ts";
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
  /** The largest number of connections, on runtimes that can limit it. None by default. */
  readonly maxConnections?: number;
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

type Served = readonly [name: string, service: HttpService];

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
  { ports = {}, cluster }: {
    readonly ports?: Readonly<Record<string, number>> | undefined;
    readonly cluster?: Cluster | undefined;
  },
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

/**
 * Finds folders of files that do not exist.
 *
 * @throws {ConnectorError} It names the connector and the folder.
 */
export async function requireFolders(groups: readonly Group[]): Promise<void> {
  for (const [name, { files }] of groups.flatMap(({ members }) => members)) {
    if (files === undefined) continue;
    const found = await stat(files).catch(() => undefined);
    if (!found?.isDirectory()) {
      throw new ConnectorError(name, `static: folder ${files} does not exist`);
    }
  }
}

/**
 * Listens on each port for a moment. Of the ports in `held`, which this process will release, only
 * the host is tried.
 *
 * @throws {ConnectorError} A port cannot be used.
 */
export async function requirePorts(
  groups: readonly Group[],
  held: readonly number[] = [],
): Promise<void> {
  for (const group of groups) {
    const { host, port } = group.address;
    await tryAddress(host, held.includes(port) ? 0 : port).catch((cause) => {
      throw cannotListen(group, cause);
    });
  }
}

/** Listens on an address for a moment. Rejects with the system's error. */
export async function tryAddress(host: string, port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

/** The error for a port that the system refuses. */
export function cannotListen({ address: { host, port }, members }: Group, cause: unknown): Error {
  const message = `cannot listen on ${host}:${port}: ${reasonOf(cause, "--port")}`;
  return new ConnectorError(members[0][0], message, { code: "cannot-listen", cause });
}

/** Why the system refuses a port. `option` sets another one. */
export function reasonOf(cause: unknown, option: string): string {
  const { code, message } = cause as { readonly code?: string; readonly message?: string };
  switch (code) {
    case "EADDRINUSE":
      return "the port is in use; stop the program that uses it, or choose another port with " +
        option;
    case "EACCES":
      return "this process has no permission to use the port";
    case "EADDRNOTAVAIL":
      return "this machine does not have the address";
    default:
      return String(message ?? cause);
  }
}

/** The URLs of a connector. */
export function addressesOf(
  { socket, stream, files, routes }: HttpService,
  { host, port, tls }: ListenAddress,
): string[] {
  const authority = authorityOf({ host, port });
  const secure = tls === undefined ? "" : "s";
  return [
    ...(socket === undefined ? [] : [`ws${secure}://${authority}${socket.path}`]),
    ...(stream === undefined ? [] : [`http${secure}://${authority}${stream.path}`]),
    ...(files === undefined && routes === undefined ? [] : [`http${secure}://${authority}`]),
  ];
}

/** The URL of a port without TLS. */
export function urlOf(address: Pick<ListenAddress, "host" | "port">): string {
  return `http://${authorityOf(address)}`;
}

function authorityOf({ host, port }: Pick<ListenAddress, "host" | "port">): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `${name.includes(":") ? `[${name}]` : name}:${port}`;
}
