/** The address of the client that sent a request, as servers and sockets tell it. */

/** What the servers of the runtimes pass, on their own or through Hono. */
interface ServerInfo {
  /** Deno: `Deno.serve`. */
  readonly remoteAddr?: { readonly hostname?: unknown };
  /** Node: `@hono/node-server`. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } };
  /** Bun: the server. */
  readonly requestIP?: (request: Request) => { readonly address?: unknown } | null;
  /** Bun through Hono: an object that has the server. */
  readonly server?: Pick<ServerInfo, "requestIP">;
}

/** The address; null if the server does not tell it, or the client has left. */
export function remoteAddressOf(request: Request, env: unknown): string | null {
  if (typeof env !== "object" || env === null) return null;
  const info = env as ServerInfo;
  const server = typeof info.requestIP === "function" ? info : info.server;
  const address = info.remoteAddr?.hostname ?? info.incoming?.socket?.remoteAddress ??
    server?.requestIP?.(request)?.address;
  return typeof address === "string" ? plainAddress(address) : null;
}

/** What a socket for both IPv4 and IPv6 writes in front of an IPv4 address. */
const MAPPED = "::ffff:";

/** The same address; one of IPv4 in its own form, so that it is the same on every socket. */
export function plainAddress(address: string): string {
  const isMapped = address.startsWith(MAPPED) && address.includes(".");
  return isMapped ? address.slice(MAPPED.length) : address;
}
