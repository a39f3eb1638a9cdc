/** Clients that the caller vouches for: `weir test` does, in the place of a token. */
import type { VouchedClient } from "./socket.ts";

const clients = new WeakMap<Request, VouchedClient>();

/** Gives a request an identity. Only code of this process can do that, and no header. */
export function vouchFor(request: Request, client: VouchedClient): void {
  clients.set(request, client);
}

/** The identity that was given to a request; undefined for none. */
export function vouchedClientOf(request: Request): VouchedClient | undefined {
  return clients.get(request);
}

const tokens = new Map<string, VouchedClient>();

/** Makes a token for one renewal of a connection. Nobody else can know it. */
export function tokenFor(client: VouchedClient): string {
  const token = crypto.randomUUID();
  tokens.set(token, client);
  return token;
}

/** The identity that a token was made for, once; undefined for any other token. */
export function takeVouched(token: string): VouchedClient | undefined {
  const client = tokens.get(token);
  if (client !== undefined) tokens.delete(token);
  return client;
}
