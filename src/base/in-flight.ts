/** Work that has begun and not ended. */

/** The promises that are pending. */
export class InFlight {
  readonly #pending = new Set<Promise<unknown>>();

  /** The number of pending promises. */
  get count(): number {
    return this.#pending.size;
  }

  /** Counts a promise until it settles, and returns it. Its rejection is left to the caller. */
  add<T>(promise: Promise<T>): Promise<T> {
    const ended = () => this.#pending.delete(settled);
    const settled: Promise<unknown> = promise.then(ended, ended);
    this.#pending.add(settled);
    return promise;
  }

  /** Resolves when nothing is pending, including what is added while it waits. Never rejects. */
  async empty(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }
}
