/** Finds the end of a burst, so that all of it travels together. */
import { endOfTick } from "../base/clock.ts";

/** A burst is over after this many ticks in which nothing was added, and after `MAX_TICKS` at the latest. */
const QUIET_TICKS = 3;
const MAX_TICKS = 16;

/** Calls a function at the end of each burst. */
export class Burst {
  readonly #over: () => void;
  /** How much has been added; undefined between two bursts. */
  #count: number | undefined;

  constructor(over: () => void) {
    this.#over = over;
  }

  /** Something was added. It is the beginning of a burst where none has begun. */
  add(): void {
    if (this.#count !== undefined) this.#count++;
    else {
      this.#count = 1;
      this.#wait();
    }
  }

  #wait(): void {
    let [seen, quiet, ticks] = [0, 0, 0];
    const tick = (): void => {
      quiet = this.#count === seen ? quiet + 1 : 0;
      seen = this.#count ?? 0;
      if (quiet < QUIET_TICKS && ++ticks < MAX_TICKS) return endOfTick(tick);
      this.#count = undefined;
      this.#over();
    };
    endOfTick(tick);
  }
}
