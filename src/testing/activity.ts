/** Knows when nothing goes on any more but waiting for the clock. */
import { endOfTick } from "../base/clock.ts";
import { withTimeout } from "../base/timeout.ts";

/**
 * How many ticks in a row nothing must happen. Whatever goes on for longer is tracked; the longest
 * untracked way is that of a frame to many clients, two ticks.
 */
const QUIET_TICKS = 3;
/** Nothing that a test does takes so long. */
const PATIENCE = 5_000;

/** Something that goes on and has not come to its end in time. */
export class StuckError extends Error {
  override readonly name = "StuckError";
}

interface Operation {
  readonly name: string;
  /** True while it waits for the clock alone, which nobody moves meanwhile. */
  isWaiting(): boolean;
}

/** What goes on in a runtime under test. */
export class Activity {
  readonly #patience: number;
  readonly #operations = new Set<Operation>();
  #changes = 0;
  #wake: (() => void) | undefined;

  /** `patience` is how many milliseconds of real time may pass without any change. */
  constructor(patience: number = PATIENCE) {
    this.#patience = patience;
  }

  /** Something has happened. */
  touch(): void {
    this.#changes++;
    this.#wake?.();
  }

  /** Something begins that is at work until the function is called which this returns. */
  begin(name: string, isWaiting: () => boolean = () => false): () => void {
    const operation = { name, isWaiting };
    this.#operations.add(operation);
    this.touch();
    return () => {
      this.#operations.delete(operation);
      this.touch();
    };
  }

  /** Sees a promise through to its end; gives the value itself. */
  track<T>(name: string, value: T, isWaiting?: () => boolean): T {
    this.touch();
    if (!(value instanceof Promise)) return value;
    const end = this.begin(name, isWaiting);
    void value.then(end, end);
    return value;
  }

  /**
   * Resolves once nothing goes on.
   *
   * @throws {StuckError} Something does not end.
   */
  async settled(): Promise<void> {
    const end = performance.now() + this.#patience;
    for (let changes = -1; changes !== this.#changes;) {
      await this.#quiet(end);
      changes = this.#changes;
      // Some wait for a timer of no time, so that others get their turn.
      await new Promise<void>((resolve) => setTimeout(resolve, 0));
    }
  }

  /** The same but for what waits for a timer of no time. */
  settledTick(): Promise<void> {
    return this.#quiet(performance.now() + this.#patience);
  }

  /** Resolves once nothing has happened for some ticks. */
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

  /** Resolves when anything changes. */
  async #change({ name }: Operation): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    try {
      await withTimeout(promise, this.#patience, () => {
        throw new StuckError(`${name} does not come to its end`);
      });
    } finally {
      this.#wake = undefined;
    }
  }
}
