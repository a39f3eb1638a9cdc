/** Lets other events run now and then while one event works through a long list. */
import { type Clock, endOfTick } from "../base/clock.ts";
import type { Meter } from "../expression/mod.ts";

/** How long one event may work without a pause, in milliseconds. */
const MILLISECONDS = 10;
/** The steps of its expressions, about 10 ms: a clock that stands still does not tell the time. */
const STEPS = 1_000_000;
/** The number of its deliveries. */
const DELIVERIES = 1_000;

/** The work of one event since its last pause. */
export class Pace {
  readonly #clock: Clock;
  #since: number;
  #left: number;
  #deliveries = 0;

  /** `meter` counts the steps of the event's expressions. */
  constructor(clock: Clock, meter: Meter) {
    this.#clock = clock;
    this.#since = clock.elapsed();
    this.#left = meter.left;
  }

  /** Counts one delivery. Returns true if it is time for a pause. */
  count(meter: Meter): boolean {
    return ++this.#deliveries >= DELIVERIES || this.#left - meter.left >= STEPS ||
      this.#clock.elapsed() - this.#since >= MILLISECONDS;
  }

  /** Resolves when other events have had their turn. */
  pause(): Promise<void> {
    return new Promise(endOfTick);
  }

  /** Begins to count again, after a pause. */
  restart(meter: Meter): void {
    this.#since = this.#clock.elapsed();
    this.#left = meter.left;
    this.#deliveries = 0;
  }
}
