/** The deadlines of all runs of one flow: one timer, however many there are. */
import type { Clock } from "../base/clock.ts";

/** Something whose time can be up. */
export interface Expiring {
  /** Its time is up; it is no longer among the deadlines. */
  expire(): void;
}

/** All have the same time, so the first to be added is the first to expire. */
export class Deadlines {
  /** When each is due, in the order in which they were added. */
  readonly #due = new Map<Expiring, number>();
  readonly #clock: Clock;
  readonly #timeout: number;
  #cancel: (() => void) | undefined;

  /** `timeout` is in milliseconds. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** Gives something its time, from now on. */
  add(item: Expiring): void {
    this.#due.set(item, this.#clock.elapsed() + this.#timeout);
    // Left running when all have ended: setting a timer for each run would cost more than the run.
    this.#cancel ??= this.#clock.after(this.#timeout, () => this.#check());
  }

  /** It has ended. */
  delete(item: Expiring): void {
    this.#due.delete(item);
  }

  /** Expires nothing any more. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due.clear();
  }

  #check(): void {
    this.#cancel = undefined;
    const now = this.#clock.elapsed();
    for (const [item, due] of this.#due) {
      // A timer may be early by less than a millisecond.
      if (due > now + 1) {
        this.#cancel ??= this.#clock.after(due - now, () => this.#check());
        return;
      }
      this.#due.delete(item);
      item.expire();
    }
  }
}
