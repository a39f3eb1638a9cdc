/** Places for clients: those that are connected, and those whose handshake waits for its decision. */
import { refuse } from "../../transport/handshake.ts";
import type { HandshakeRefusal } from "../../transport/socket.ts";

/** The answer to a client that finds no free place. */
export const TOO_MANY: HandshakeRefusal = refuse(503, "too many connections", {
  "retry-after": "1",
});

/**
 * At most this many decisions wait at once, whatever `max_connections` says: each of them keeps a
 * request for up to ten seconds.
 */
const MAX_WAITING = 10_000;

/** Places that several processes share. */
export interface SharedPlaces {
  /** Takes one; false where all are taken. */
  take(): Promise<boolean>;
  /** Frees one. */
  leave(): void;
}

/** The places of one connector. Where processes share them, whether one is free has to be awaited. */
export class Places {
  readonly #most: number;
  readonly #shared: SharedPlaces | undefined;
  #taken = 0;
  #waiting = 0;

  /** `most` is `max_connections`; without it there is no limit. */
  constructor(most: number = Infinity, shared?: SharedPlaces) {
    this.#most = most;
    this.#shared = shared;
  }

  /** Takes one for a client; false where all are taken. */
  take(): boolean | Promise<boolean> {
    if (this.#taken >= this.#most) return false;
    this.#taken++;
    if (this.#shared === undefined) return true;
    return this.#shared.take().then((taken) => {
      if (!taken) this.#taken--;
      return taken;
    });
  }

  /** Frees one. */
  leave(): void {
    this.#taken--;
    this.#shared?.leave();
  }

  /** Takes one for a client that waits; false where all are taken, or too many wait. */
  wait(): boolean | Promise<boolean> {
    if (this.#waiting >= MAX_WAITING) return false;
    const taken = this.take();
    if (taken === false) return false;
    this.#waiting++;
    if (taken === true) return true;
    return taken.then((taken) => {
      if (!taken) this.#waiting--;
      return taken;
    });
  }

  /** A client that waited does not wait any more. It keeps its place. */
  waited(): void {
    this.#waiting--;
  }
}

/** The place of one handshake until it is decided. */
export class Place {
  readonly #places: Places;
  /** Whether it has one; undefined before it has asked for one. */
  #has: boolean | Promise<boolean> | undefined;
  #waits = false;
  #decided = false;

  /** Takes none yet. */
  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * Takes one before the decision waits for anything; false where there is none, or where the
   * decision is no longer awaited. A second call changes nothing.
   */
  wait(): boolean | Promise<boolean> {
    if (this.#decided) return false;
    if (this.#has === undefined) {
      this.#waits = true;
      this.#has = this.#places.wait();
    }
    return this.#has instanceof Promise
      ? this.#has.then((has) => has && !this.#decided)
      : this.#has;
  }

  /** The client is let in. Returns whether it has a place, which its connection frees later. */
  keep(): boolean | Promise<boolean> {
    if (this.#decided) return false;
    this.#has ??= this.#places.take();
    return this.#has instanceof Promise
      ? this.#has.then((has) => this.#keep(has))
      : this.#keep(this.#has);
  }

  /** The client is refused. Frees its place, also one that it only gets later. */
  giveBack(): void {
    if (this.#decided) return;
    this.#decided = true;
    if (this.#has instanceof Promise) void this.#has.then((has) => this.#leave(has));
    else this.#leave(this.#has ?? false);
  }

  #keep(has: boolean): boolean {
    if (!has || this.#decided) return false;
    this.#decided = true;
    if (this.#waits) this.#places.waited();
    return true;
  }

  #leave(has: boolean): void {
    if (!has) return;
    if (this.#waits) this.#places.waited();
    this.#places.leave();
  }
}
