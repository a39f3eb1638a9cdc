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

/** The places of one connector in one process. */
export class Places {
  readonly #most: number;
  #taken = 0;
  #waiting = 0;

  /** As many as `max_connections` says; without it there is no end of them. */
  constructor(most: number = Infinity) {
    this.#most = most;
  }

  /** Takes one for a client; false where all are taken. */
  take(): boolean {
    if (this.#taken >= this.#most) return false;
    this.#taken++;
    return true;
  }

  /** Gives one back. */
  leave(): void {
    this.#taken--;
  }

  /** Takes one for a client that waits; false where all are taken, or too many wait. */
  wait(): boolean {
    if (this.#waiting >= MAX_WAITING || !this.take()) return false;
    this.#waiting++;
    return true;
  }

  /** One that waited waits no longer. It keeps its place. */
  waited(): void {
    this.#waiting--;
  }
}

/** The place of one handshake until it is decided. */
export class Place {
  readonly #places: Places;
  #state: "none" | "waiting" | "decided" = "none";

  /** Takes none yet. */
  constructor(places: Places) {
    this.#places = places;
  }

  /**
   * Takes one before the decision waits for anything; false where there is none, or where the
   * decision is no longer awaited. The second time it changes nothing.
   */
  wait(): boolean {
    if (this.#state !== "none") return this.#state === "waiting";
    if (!this.#places.wait()) return false;
    this.#state = "waiting";
    return true;
  }

  /** The client is let in: gives whether it has a place, which is from now on its connection's. */
  keep(): boolean {
    const waited = this.#end();
    return waited || this.#places.take();
  }

  /** The client stays out. */
  giveBack(): void {
    if (this.#end()) this.#places.leave();
  }

  /** Gives whether it was waiting. */
  #end(): boolean {
    const waited = this.#state === "waiting";
    this.#state = "decided";
    if (waited) this.#places.waited();
    return waited;
  }
}
