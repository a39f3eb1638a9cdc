/** A pause that can be ended early. */

/** Waits between two attempts, until somebody stops it. */
export class Pause {
  #wake: (() => void) | undefined;
  #stopped = false;

  /** Resolves after so many milliseconds, or when it is woken; at once where it was stopped. */
  wait(milliseconds: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Ends the pause. */
  wake(): void {
    this.#wake?.();
  }

  /** Ends this pause and all that follow. */
  stop(): void {
    this.#stopped = true;
    this.wake();
  }
}
