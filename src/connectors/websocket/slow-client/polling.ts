/** Looks after sockets that take nothing at the moment: no runtime tells of all of them. */
import type { Clock } from "../../../base/clock.ts";

/** From one look to the next, in milliseconds. What the kernel holds lasts a client longer. */
const INTERVAL = 10;

/** What waits until its socket takes something. */
export interface Waiter {
  /** Looks whether the socket does. */
  look(): void;
  /** `look` threw this error and is not called again. */
  failed(error: unknown): void;
}

/** Looks at those who wait, all at once, for as long as there are some. */
export class Polling<Waiting extends Waiter> {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #cancel: (() => void) | undefined;

  /** Sets no timer before somebody waits. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Looks at this one, too, until it is deleted. */
  add(one: Waiting): void {
    this.#waiting.add(one);
    this.#cancel ??= this.#clock.after(INTERVAL, this.#look);
  }

  /** Looks at this one no more. */
  delete(one: Waiting): void {
    if (!this.#waiting.delete(one) || this.#waiting.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #look = (): void => {
    this.#cancel = undefined;
    for (const one of [...this.#waiting]) {
      try {
        one.look();
      } catch (error) {
        // The others are looked at all the same.
        this.#waiting.delete(one);
        one.failed(error);
      }
    }
    if (this.#waiting.size > 0) this.#cancel ??= this.#clock.after(INTERVAL, this.#look);
  };
}
