/** Requests whose client the caller vouches for: `weir test` does, in the place of a token. */
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
