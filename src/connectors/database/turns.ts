/** Turns of transactions that others have undone, for every driver: lets one at a time go on. */
import { CancelledError } from "./pending-write.ts";

/** A queue in which each waits until the one before it has left. */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /**
   * Waits for its turn. Returns the function that ends it, which must be called.
   *
   * @throws {CancelledError} The signal was aborted.
   */
  async take(signal: AbortSignal): Promise<() => void> {
    const before = this.#last;
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    this.#last = before.then(() => left);
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    const abort = () => reject(new CancelledError("was cancelled"));
    signal.addEventListener("abort", abort);
    try {
      if (signal.aborted) abort();
      await Promise.race([before, aborted]);
      return leave;
    } catch (error) {
      leave();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

/** Waits before a repetition, for at most that many milliseconds: two that lock each other must not meet again. */
export function delay(most: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * most));
}
