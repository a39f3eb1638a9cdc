/** Lets other events run now and then while one event works through a long list. */
import { type Clock, endOfTick } from "../base/clock.ts";
import { Meter } from "../expression/mod.ts";

/** How long one event may work without a pause, in milliseconds. */
const MILLISECONDS = 10;
/** The steps of its expressions, about 10 ms: a clock that stands still does not tell the time. */
const STEPS = 1_000_000;
/** The number of its deliveries. */
const DELIVERIES = 1_000;

/** With fewer steps left than this it is time for a pause, which brings a new budget. */
const ENOUGH = new Meter().left - STEPS;

/** The work of one event since its last pause. */
export class Pace {
  readonly #clock: Clock;
  #since: number;
  #deliveries = 0;

  /** The work begins now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.elapsed();
  }

  /** Counts one delivery. Returns true if it is time for a pause. */
  count(meter: Meter): boolean {
    return ++this.#deliveries >= DELIVERIES || meter.left < ENOUGH ||
      this.#clock.elapsed() - this.#since >= MILLISECONDS;
  }

  /** Resolves when other events have had their turn. */
  pause(): Promise<void> {
    return new Promise(endOfTick);
  }

  /** Begins to count again, after a pause. */
  restart(): void {
    this.#since = this.#clock.elapsed();
    this.#deliveries = 0;
  }
}
