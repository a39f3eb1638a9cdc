/** Knows when a runtime only waits for the clock. */
import { endOfTick } from "../base/clock.ts";
import { withTimeout } from "../base/timeout.ts";

/**
 * The number of ticks in a row in which nothing must happen. Everything longer is tracked; the longest
 * untracked work, a frame to many clients, takes two ticks.
 */
const QUIET_TICKS = 3;
/** The longest time without any change, in milliseconds. No work of a test takes as long. */
const STUCK_AFTER = 5_000;

/** Work that does not end. */
export class StuckError extends Error {
  override readonly name = "StuckError";
}

interface Operation {
  readonly name: string;
  /** True while it only waits for the clock, which does not move meanwhile. */
  isWaiting(): boolean;
}

/** The work in a runtime under test. */
export class Activity {
  readonly #patience: number;
  readonly #operations = new Set<Operation>();
  #changes = 0;
  #wake: (() => void) | undefined;

  /** `patience` is the longest real time without any change, in milliseconds. */
  constructor(patience: number = STUCK_AFTER) {
    this.#patience = patience;
  }

  /** Reports that something has happened. */
  touch(): void {
    this.#changes++;
    this.#wake?.();
  }

  /** Begins an operation. Call the function that it returns at the end of the operation. */
  begin(name: string, isWaiting: () => boolean = () => false): () => void {
    const operation = { name, isWaiting };
    this.#operations.add(operation);
    this.touch();
    return () => {
      this.#operations.delete(operation);
      this.touch();
    };
  }

  /** Tracks a promise until it settles. Returns the value itself. */
  track<T>(name: string, value: T, isWaiting?: () => boolean): T {
    this.touch();
    if (!(value instanceof Promise)) return value;
    const end = this.begin(name, isWaiting);
    void value.then(end, end);
    return value;
  }

  /**
   * Resolves when nothing is at work.
   *
   * @throws {StuckError} Some work does not end.
   */
  async settled(): Promise<void> {
    const end = performance.now() + this.#patience;
    for (let changes = -1; changes !== this.#changes;) {
      await this.#quiet(end);
      changes = this.#changes;
      // Some work yields with a timer of 0 ms.
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
  }

  /** The same, but does not wait for timers of 0 ms. */
  settledTick(): Promise<void> {
    return this.#quiet(performance.now() + this.#patience);
  }

  /** Resolves when nothing has happened for some ticks. */
  async #quiet(end: number): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TICKS;) {
      const before = this.#changes;
      const operation = this.#atWork();
      if (operation !== undefined) await this.#change(operation);
      else await new Promise<void>(endOfTick);
      quiet = before === this.#changes && this.#atWork() === undefined ? quiet + 1 : 0;
      if (performance.now() > end) throw new StuckError("flows start each other without end");
    }
  }

  #atWork(): Operation | undefined {
    return [...this.#operations].find((operation) => !operation.isWaiting());
  }

  /** Resolves with the next change. */
  async #change({ name }: Operation): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    try {
      await withTimeout(promise, this.#patience, () => {
        throw new StuckError(`${name} does not end`);
      });
    } finally {
      this.#wake = undefined;
    }
  }
}
