/** The end of a token's time on a live connection. */
import type { Clock } from "../../../base/clock.ts";

/** The wall clock may be set, and no timer takes every delay, so it is asked again this often. */
const LONGEST_WAIT = 3_600_000;

/** Tells once that a token has expired; a renewed one moves that moment. */
export class Expiry {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #cancel: (() => void) | undefined;

  /** `expired` is called at most once for each `set`. */
  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /**
   * Waits for this moment, in milliseconds since the epoch, and no longer for the one before;
   * undefined for never. A moment that is past is told at once.
   */
  set(expiresAt: number | undefined): void {
    this.stop();
    if (expiresAt === undefined) return;
    const left = expiresAt - this.#clock.now();
    if (left <= 0) return this.#expired();
    const wait = Math.min(left, LONGEST_WAIT);
    this.#cancel = this.#clock.after(wait, () => this.set(expiresAt));
  }

  /** Waits for nothing. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
