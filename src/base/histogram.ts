/** Counts values by their size. */

/** How many values there were up to each of some bounds. */
export class Histogram {
  /** The largest value of each bucket but the last, in ascending order. */
  readonly bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** Has counted nothing yet. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
  }

  /** Counts a value. */
  add(value: number): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && value > bounds[bucket]) bucket++;
    this.#counts[bucket]++;
    this.#sum += value;
  }

  /** How many values each bucket has; the last one has those beyond the bounds. */
  get counts(): readonly number[] {
    return this.#counts;
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }
}
