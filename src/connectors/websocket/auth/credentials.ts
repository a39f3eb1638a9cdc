/** Who a client is now: what its newest token says, and when that ends. */
import type { Expiry } from "./expiry.ts";
import type { Identity } from "./verifier.ts";

/** A client of whom nothing is known: most connectors need no more, and never load a verifier. */
export const ANONYMOUS: Identity = { userId: null, claims: null, expiresAt: undefined };

/** The identity of one client, from its handshake to the end of its connection. */
export class Credentials {
  #identity: Identity;
  /** While the connection is open. */
  #expiry: Expiry | undefined;

  /** What the handshake says. */
  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** The one in force. */
  get identity(): Identity {
    return this.#identity;
  }

  /** The connection is open: from now on `expiry` waits for the end of what is in force. */
  watch(expiry: Expiry): void {
    this.#expiry = expiry;
    expiry.set(this.#identity.expiresAt);
  }

  /** Puts a newer identity in force. */
  renew(identity: Identity): void {
    this.#identity = identity;
    this.#expiry?.set(identity.expiresAt);
  }

  /** The connection is closing: nothing waits any more, whatever is renewed. */
  stop(): void {
    this.#expiry?.stop();
    this.#expiry = undefined;
  }
}
