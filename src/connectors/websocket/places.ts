/** Places for clients: those that are connected, and those whose handshake waits for its decision. */
import { refuse } from "../../handshake.ts";
import type { HandshakeRefusal } from "../../socket.ts";

/** The answer to a client for whom there is no place. */
export const TOO_MANY: HandshakeRefusal = refuse(503, "too many connections", {
  "retry-after": "1",
});

/**
 * How many decisions wait at once at most, whatever `max_connections` says: each of them keeps a
 * request for up to ten seconds.
 */
const MAX_WAITING = 10_000;

/** Places that several processes have together. */
export interface SharedPlaces {
  /** Takes one; false where all are taken. */
  take(): Promise<boolean>;
  /** Gives one back. */
  leave(): void;
}

/** The places of one connector in one process. Where others share them a place has to be waited for. */
export class Places {
  readonly #most: number;
  readonly #shared: SharedPlaces | undefined;
  #taken = 0;
  #waiting = 0;

  /** As many as `max_connections` says; without it there is no end of them. */
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

  /** Gives one back. */
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

  /** One that waited waits no longer. It keeps its place. */
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
   * decision is no longer awaited. The second time it changes nothing.
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

  /** The client is let in: gives whether it has a place, which is from now on its connection's. */
  keep(): boolean | Promise<boolean> {
    if (this.#decided) return false;
    this.#has ??= this.#places.take();
    return this.#has instanceof Promise
      ? this.#has.then((has) => this.#keep(has))
      : this.#keep(this.#has);
  }

  /** The client stays out. A place that it gets later is given back, too. */
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
