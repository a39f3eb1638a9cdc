/** The identity of a client while it is connected, and when it expires. */
import type { ClientIdentity } from "../../access/auth/identity.ts";
import type { Clock } from "../../base/clock.ts";

/** The wall clock may be set, and no timer takes every delay: the clock is read again this often. */
const MAX_WAIT = 3_600_000;

/** The identity of one client, from its handshake to the end of its connection. */
export class Credentials {
  #identity: ClientIdentity;
  /** While the connection is open. */
  #expiry: Expiry | undefined;

  /** `identity` is the one of the handshake. */
  constructor(identity: ClientIdentity) {
    this.#identity = identity;
  }

  /** The identity in force. */
  get identity(): ClientIdentity {
    return this.#identity;
  }

  /** From now on `expiry` waits for the end of the identity in force. */
  watch(expiry: Expiry): void {
    this.#expiry = expiry;
    expiry.set(this.#identity.expiresAt);
  }

  /** Puts a newer identity in force. */
  renew(identity: ClientIdentity): void {
    this.#identity = identity;
    this.#expiry?.set(identity.expiresAt);
  }

  /** The connection is closing: nothing waits any more, also after a renewal. */
  stop(): void {
    this.#expiry?.stop();
    this.#expiry = undefined;
  }
}

/** Waits for the expiry of a token. */
export class Expiry {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #cancel: (() => void) | undefined;

  /** Calls `expired` at most once for each `set`. */
  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /**
   * Waits for this moment, in milliseconds since the epoch, instead of the one before; undefined
   * for never. Calls `expired` at once for a moment in the past.
   */
  set(expiresAt: number | undefined): void {
    this.stop();
    if (expiresAt === undefined) return;
    const left = expiresAt - this.#clock.now();
    if (left <= 0) return this.#expired();
    const wait = Math.min(left, MAX_WAIT);
    this.#cancel = this.#clock.after(wait, () => this.set(expiresAt));
  }

  /** Waits for nothing. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
