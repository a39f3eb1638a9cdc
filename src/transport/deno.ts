/** Upgrades by `Deno.upgradeWebSocket`, for runtimes embedded in somebody's `Deno.serve`. */
import type { HandshakeAcceptance, SocketEndpoint } from "./socket.ts";
import type { Upgrader } from "./upgrader.ts";
import { connectStandardSocket } from "./standard.ts";

/** Deno's own upgrade. It has no ping, so liveness is its idle timeout. */
export const denoUpgrader: Upgrader = {
  upgrade(
    request: Request,
    _env: unknown,
    { pingInterval }: SocketEndpoint,
    { protocol, session }: HandshakeAcceptance,
  ): Response {
    const idleTimeout = Math.max(1, Math.ceil((2 * pingInterval) / 1000));
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout });
    // Deno's own option refuses a name from a list that is not separated by exactly ", ".
    if (protocol !== undefined) response.headers.set("sec-websocket-protocol", protocol);
    connectStandardSocket(socket, session);
    return response;
  },
  remoteAddress(_request: Request, env: unknown): string | null {
    const { remoteAddr } = (env ?? {}) as { readonly remoteAddr?: { readonly hostname?: string } };
    return remoteAddr?.hostname ?? null;
  },
};
