/** Keeps who tells from running ahead of those who listen. No I/O. */

/** So many characters may be told and not be known to have been taken; then who tells waits. */
const MOST_UNTAKEN = 4 * 1024 * 1024;
/** After so many characters the others are asked whether they have taken them. */
const STEP = MOST_UNTAKEN / 4;

/** What one worker has told the others, and how much of it they have taken. */
export class Pressure {
  readonly #caughtUp: () => Promise<void>;
  #told = 0;
  #taken = 0;
  /** Pending while the others are asked. */
  #asking: Promise<void> | undefined;

  /** `caughtUp` resolves once the others have taken all that was told before; it never rejects. */
  constructor(caughtUp: () => Promise<void>) {
    this.#caughtUp = caughtUp;
  }

  /** Counts so many characters more. A promise where the others are behind, to be waited for. */
  add(characters: number): Promise<void> | undefined {
    this.#told += characters;
    const untaken = this.#told - this.#taken;
    if (untaken >= STEP) this.#asking ??= this.#ask();
    return untaken > MOST_UNTAKEN ? this.#asking : undefined;
  }

  async #ask(): Promise<void> {
    const told = this.#told;
    await this.#caughtUp();
    this.#taken = told;
    this.#asking = undefined;
  }
}
