/** Deadlines of work that all has the same time, on a single timer. */
import type { Clock } from "./clock.ts";

/** Something that can time out. */
export interface Expiring {
  /** Called at the deadline, which has been removed by then. */
  expire(): void;
}

/** All have the same timeout, so the first to be added is the first to expire. */
export class Deadlines {
  /** In milliseconds. */
  readonly timeout: number;
  /** When each is due on the clock's `elapsed`, in the order in which they were added. */
  readonly #due = new Map<Expiring, number>();
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  /** `timeout` is in milliseconds. */
  constructor(clock: Clock, timeout: number) {
    this.#clock = clock;
    this.timeout = timeout;
  }

  /** Sets the deadline of an item, counted from now. */
  add(item: Expiring): void {
    this.#due.set(item, this.#clock.elapsed() + this.timeout);
    // It keeps running when all have ended: a timer for each run would cost more than the run.
    this.#cancel ??= this.#clock.after(this.timeout, () => this.#check());
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
    const now = this.#clock.elapsed();
    // The timer counts as set: an item that adds itself again is not the next one to be due.
    for (const [item, due] of this.#due) {
      // A timer may fire up to a millisecond early.
      if (due > now + 1) break;
      this.#due.delete(item);
      item.expire();
    }
    const [next] = this.#due.values();
    this.#cancel = next === undefined
      ? undefined
      : this.#clock.after(next - now, () => this.#check());
  }
}
