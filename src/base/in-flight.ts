/** Work that has begun and not ended. */

/** Counts the promises that are pending. */
export class InFlight {
  #count = 0;
  #whenEmpty: (() => void)[] = [];

  /** The number of pending promises. */
  get count(): number {
    return this.#count;
  }

  /**
   * Counts a promise until it settles, and returns it. The caller must handle its rejection: no
   * runtime reports it, since this counter has handled it as well.
   */
  add<T>(promise: Promise<T>): Promise<T> {
    this.#count++;
    promise.then(this.#ended, this.#ended);
    return promise;
  }

  /** Resolves when nothing is pending, including what is added while it waits. Never rejects. */
  async empty(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  // One function for all promises, since there may be one for each event.
  readonly #ended = (): void => {
    if (--this.#count > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  };
}
