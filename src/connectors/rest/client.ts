/** Requests as the connector sees them before it reads their bodies, and what flows see of a client. */
import type { Context } from "hono";
import type { ClientIdentity } from "../../access/auth/identity.ts";
import type { TrustedProxies } from "../../access/proxies.ts";
import type { Client } from "../../contract/connector.ts";
import { remoteAddressOf } from "../../transport/address.ts";
import type { HandshakeRequest } from "../../transport/socket.ts";

/** A request without its body: what a handshake has, too. */
export type RequestHead = HandshakeRequest;

/** The head of a request. The address is looked up on demand. */
export function headOf({ req, env }: Context, proxies: TrustedProxies | undefined): RequestHead {
  const headers = Object.fromEntries(req.raw.headers);
  let address: string | null | undefined;
  const lookUp = (): string | null => {
    const peer = remoteAddressOf(req.raw, env);
    return proxies === undefined ? peer : proxies.clientAddress(peer, headers);
  };
  return {
    method: req.method,
    url: new URL(req.url),
    headers,
    get remoteAddress() {
      return address ??= lookUp();
    },
  };
}

/** The client of a request, for expressions. What only a connection has is null. */
export function clientOf(head: RequestHead, { userId, claims }: ClientIdentity): Client {
  const { url, headers } = head;
  let params: Readonly<Record<string, string>> | undefined;
  return {
    id: null,
    user_id: userId,
    claims,
    // The first value of a repeated parameter counts, as for a handshake.
    get params() {
      return params ??= Object.fromEntries([...url.searchParams].reverse());
    },
    headers,
    rooms: null,
    get remote_addr() {
      return head.remoteAddress;
    },
    connected_at: null,
  };
}
