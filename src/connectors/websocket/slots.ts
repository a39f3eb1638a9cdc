/** The slots of `max_connections`, for connections and for handshakes that wait for a decision. */
import { refuse } from "../../transport/handshake.ts";
import type { HandshakeRefusal } from "../../transport/socket.ts";

/** The answer to a client that finds no free slot. */
export const TOO_MANY: HandshakeRefusal = refuse(503, "too many connections", {
  "retry-after": "1",
});

/**
 * At most this many handshakes wait for a decision at once, whatever `max_connections` says: each
 * keeps a request for up to ten seconds.
 */
const MAX_WAITING = 10_000;

/** Slots that several processes share. */
export interface SharedSlots {
  /** Acquires a slot. Resolves to false where none is free. */
  acquire(): Promise<boolean>;
  /** Frees a slot. */
  release(): void;
}

/** The slots of one connector. Returns promises only where processes share the slots. */
export class Slots {
  readonly #max: number;
  readonly #shared: SharedSlots | undefined;
  #acquired = 0;
  #waiting = 0;

  /** `max` is `max_connections`; no limit by default. */
  constructor(max: number = Infinity, shared?: SharedSlots) {
    this.#max = max;
    this.#shared = shared;
  }

  /** Acquires a slot for a connection. False where none is free. */
  acquire(): boolean | Promise<boolean> {
    if (this.#acquired >= this.#max) return false;
    this.#acquired++;
    if (this.#shared === undefined) return true;
    return this.#shared.acquire().then((acquired) => {
      if (!acquired) this.#acquired--;
      return acquired;
    });
  }

  /** Frees a slot. */
  release(): void {
    this.#acquired--;
    this.#shared?.release();
  }

  /** Acquires a slot for a handshake that waits. False where none is free or too many wait. */
  acquireWaiting(): boolean | Promise<boolean> {
    if (this.#waiting >= MAX_WAITING) return false;
    const acquired = this.acquire();
    if (acquired === false) return false;
    this.#waiting++;
    if (acquired === true) return true;
    return acquired.then((acquired) => {
      if (!acquired) this.#waiting--;
      return acquired;
    });
  }

  /** A handshake waits no longer. It keeps its slot. */
  stopWaiting(): void {
    this.#waiting--;
  }
}

/** The slot of one handshake until it is decided. */
export class HandshakeSlot {
  readonly #slots: Slots;
  /** Whether it has a slot; undefined before it has asked for one. */
  #has: boolean | Promise<boolean> | undefined;
  #waits = false;
  #decided = false;

  /** Acquires nothing yet. */
  constructor(slots: Slots) {
    this.#slots = slots;
  }

  /**
   * Acquires a slot before the decision waits for anything. False where none is free, or where
   * the handshake is already decided. A second call changes nothing.
   */
  reserve(): boolean | Promise<boolean> {
    if (this.#decided) return false;
    if (this.#has === undefined) {
      this.#waits = true;
      this.#has = this.#slots.acquireWaiting();
    }
    return this.#has instanceof Promise
      ? this.#has.then((has) => has && !this.#decided)
      : this.#has;
  }

  /** The client is let in. Returns whether it has a slot, which its connection releases later. */
  keep(): boolean | Promise<boolean> {
    if (this.#decided) return false;
    this.#has ??= this.#slots.acquire();
    return this.#has instanceof Promise
      ? this.#has.then((has) => this.#keep(has))
      : this.#keep(this.#has);
  }

  /** The client is refused. Frees its slot, also one that it only gets later. */
  release(): void {
    if (this.#decided) return;
    this.#decided = true;
    if (this.#has instanceof Promise) void this.#has.then((has) => this.#release(has));
    else this.#release(this.#has ?? false);
  }

  #keep(has: boolean): boolean {
    if (!has || this.#decided) return false;
    this.#decided = true;
    if (this.#waits) this.#slots.stopWaiting();
    return true;
  }

  #release(has: boolean): void {
    if (!has) return;
    if (this.#waits) this.#slots.stopWaiting();
    this.#slots.release();
  }
}
