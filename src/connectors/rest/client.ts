/** Requests before their bodies are read, and what flows see of their clients. */
import type { Context } from "hono";
import type { ClientIdentity } from "../../access/auth/identity.ts";
import type { TrustedProxies } from "../../access/proxies.ts";
import type { Client } from "../../contract/connector.ts";
import { remoteAddressOf } from "../../transport/address.ts";
import type { HandshakeRequest } from "../../transport/socket.ts";

/** A request without its body: what a handshake has, too. */
export type RequestHead = HandshakeRequest;

/**
 * The head of a request. The address is looked up on demand, since few flows need it. It is a class
 * because an object literal with a getter has a shape of its own each time, which costs more than all
 * the rest.
 */
export class ReceivedRequest implements RequestHead {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly #context: Context;
  readonly #proxies: TrustedProxies | undefined;
  #address: string | null | undefined;

  /** Pass `proxies` where headers of some peers are believed. */
  constructor(context: Context, proxies: TrustedProxies | undefined) {
    const { req } = context;
    this.method = req.method;
    this.url = new URL(req.url);
    this.headers = Object.fromEntries(req.raw.headers);
    this.#context = context;
    this.#proxies = proxies;
  }

  get remoteAddress(): string | null {
    if (this.#address === undefined) {
      const peer = remoteAddressOf(this.#context.req.raw, this.#context.env);
      this.#address = this.#proxies?.clientAddress(peer, this.headers) ?? peer;
    }
    return this.#address;
  }
}

/** The client of a request, for expressions. What only a connection has is null. */
export function clientOf(
  { url, headers, remoteAddress }: RequestHead,
  { userId, claims }: ClientIdentity,
): Client {
  return {
    id: null,
    user_id: userId,
    claims,
    // The first value of a repeated parameter counts, as for a handshake.
    params: Object.fromEntries([...url.searchParams].reverse()),
    headers,
    rooms: null,
    remote_addr: remoteAddress,
    connected_at: null,
  };
}
