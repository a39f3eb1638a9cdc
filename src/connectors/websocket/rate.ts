/** Counts what happens within a sliding window of time. */
import { type Clock, systemClock } from "../../base/clock.ts";

/** What has happened of late. */
export class RateWindow {
  readonly #most: number;
  readonly #window: number;
  readonly #clock: Clock;
  #times: number[] = [];

  /** More than `most` within `window` milliseconds is too much. */
  constructor(most: number, window: number, clock: Clock = systemClock) {
    this.#most = most;
    this.#window = window;
    this.#clock = clock;
  }

  /** Counts one more; true where that is too much. */
  hit(): boolean {
    const now = this.#clock.elapsed();
    this.#times.push(now);
    if (this.#times.length <= this.#most) return false;
    this.#times = this.#times.filter((time) => time > now - this.#window);
    return this.#times.length > this.#most;
  }
}
