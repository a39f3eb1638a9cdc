/** WebSockets of `Deno.upgradeWebSocket`, for runtimes embedded in `Deno.serve`. */
import { remoteAddressOf } from "./address.ts";
import type { Upgrader } from "./handshake.ts";
import type { HandshakeAcceptance, SocketEndpoint } from "./socket.ts";
import { connectStandardSocket } from "./standard.ts";

/** Upgrades with Deno's own function. Its sockets have no ping, so they get an idle timeout. */
export const denoUpgrader: Upgrader = {
  upgrade(
    request: Request,
    _env: unknown,
    { pingInterval }: SocketEndpoint,
    { protocol, session }: HandshakeAcceptance,
  ): Response {
    const idleTimeout = Math.max(1, Math.ceil((2 * pingInterval) / 1000));
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout });
    // Deno's own option refuses a protocol if the offered list is not separated by exactly ", ".
    if (protocol !== undefined) response.headers.set("sec-websocket-protocol", protocol);
    connectStandardSocket(socket, session);
    return response;
  },
  remoteAddress: remoteAddressOf,
};
