/** The deadlines of all runs of one flow, on a single timer. */
import type { Clock } from "../base/clock.ts";

/** Something that can time out. */
export interface Expiring {
  /** Called at the deadline, which has been removed by then. */
  expire(): void;
}

/** All have the same timeout, so the first to be added is the first to expire. */
export class Deadlines {
  /** When each is due on the clock's `elapsed`, in the order in which they were added. */
  readonly #due = new Map<Expiring, number>();
  readonly #clock: Clock;
  readonly #timeout: number;
  #cancel: (() => void) | undefined;

  /** `timeout` is in milliseconds. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.#timeout = timeout;
  }

  /** Sets the deadline of an item, counted from now. */
  add(item: Expiring): void {
    this.#due.set(item, this.#clock.elapsed() + this.#timeout);
    // It keeps running when all have ended: a timer for each run would cost more than the run.
    this.#cancel ??= this.#clock.after(this.#timeout, () => this.#check());
  }

  /** Removes the deadline of an item. */
  delete(item: Expiring): void {
    this.#due.delete(item);
  }

  /** Removes all deadlines and stops the timer. */
  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#due.clear();
  }

  #check(): void {
    this.#cancel = undefined;
    const now = this.#clock.elapsed();
    for (const [item, due] of this.#due) {
      // A timer may fire up to a millisecond early.
      if (due > now + 1) {
        this.#cancel ??= this.#clock.after(due - now, () => this.#check());
        return;
      }
      this.#due.delete(item);
      item.expire();
    }
  }
}
