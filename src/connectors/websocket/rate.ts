/** Counts what happens within a sliding window of time. */
export class RateWindow {
  readonly #most: number;
  readonly #window: number;
  #times: number[] = [];

  /** More than `most` within `window` milliseconds is too much. */
  constructor(most: number, window: number) {
    this.#most = most;
    this.#window = window;
  }

  /** Counts one more; true where that is too much. */
  hit(): boolean {
    const now = performance.now();
    this.#times.push(now);
    if (this.#times.length <= this.#most) return false;
    this.#times = this.#times.filter((time) => time > now - this.#window);
    return this.#times.length > this.#most;
  }
}
