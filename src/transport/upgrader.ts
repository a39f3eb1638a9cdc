/** How a runtime upgrades a request that came through `fetch`. */
import type { AddressSource, ReceivedHandshake } from "./handshake.ts";
import type { HandshakeAcceptance, SocketEndpoint } from "./socket.ts";

/** What a runtime adds so that `fetch` can turn a request into a WebSocket. */
export interface Upgrader {
  /** Upgrades a request whose handshake was accepted. Throws where it cannot. */
  upgrade(
    request: Request,
    env: unknown,
    endpoint: SocketEndpoint,
    acceptance: HandshakeAcceptance,
    facts: ReceivedHandshake,
  ): Response;
  /** The peer's address or what knows it, from what the runtime hands over beside the request. */
  remoteAddress(request: Request, env: unknown): AddressSource | string | null;
  /** The headers, names in lower case, where the runtime has a quicker way to them. */
  headers?(request: Request): Readonly<Record<string, string>>;
}
