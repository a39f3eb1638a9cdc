/** Opens the admin port. */
import { ConnectorError } from "../base/errors.ts";
import type { AdminModel } from "../model/mod.ts";
import { type AdminSource, createAdminSite } from "./admin-site.ts";
import { type Listen, type Listener, reasonOf, tryAddress, urlOf } from "./listeners.ts";

/** Connections at the same time. Bun has no such limit, and ends silent ones after ten seconds. */
const MAX_CONNECTIONS = 256;

/** Where the admin port of a service is. */
export interface AdminAddress {
  /** Such as `http://127.0.0.1:9090`. */
  readonly url: string;
  /** The number of the port. */
  readonly port: number;
}

/** An open admin port. */
export interface AdminPort {
  readonly address: AdminAddress;
  close(): Promise<void>;
}

/**
 * Opens the port.
 *
 * @throws {ConnectorError} The system refuses it.
 */
export async function openAdminPort(
  { host, port, token }: AdminModel,
  source: AdminSource,
  listen: Listen,
): Promise<AdminPort> {
  const address = { host, port, tls: undefined, shared: false, maxConnections: MAX_CONNECTIONS };
  let listener: Listener;
  try {
    listener = await listen(createAdminSite(source, token), address);
  } catch (cause) {
    throw cannotListen({ host, port }, cause);
  }
  return {
    address: { url: urlOf({ host, port: listener.port }), port: listener.port },
    async close() {
      void listener.stop();
      await listener.close();
    },
  };
}

/**
 * Listens on the port for a moment. If this process will release it, only the host is tried.
 *
 * @throws {ConnectorError} The port cannot be used.
 */
export async function requireAdminPort(
  { host, port }: AdminModel,
  held: readonly number[] = [],
): Promise<void> {
  await tryAddress(host, held.includes(port) ? 0 : port).catch((cause) => {
    throw cannotListen({ host, port }, cause);
  });
}

function cannotListen(
  { host, port }: { readonly host: string; readonly port: number },
  cause: unknown,
): ConnectorError {
  const message = `the admin port cannot listen on ${host}:${port}: ` +
    reasonOf(cause, "--admin-port");
  return new ConnectorError("", message, { code: "cannot-listen", cause });
}
