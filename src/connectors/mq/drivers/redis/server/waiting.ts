/** The entries of streams that wait for their next delivery. */
import type { Clock } from "../../../../../base/clock.ts";
import { Fifo } from "../../../../../base/fifo.ts";
import type { Holding, Stream } from "./stream.ts";

/** An entry, and its stream. */
export interface Due {
  readonly stream: Stream;
  readonly holding: Holding;
}

/** They wait here with their ids alone, and are read again when their time comes. */
export class Waiting {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  readonly #waits = new Map<Due, () => void>();
  readonly #due = new Fifo<Due>();

  /** Calls `onDue` whenever the time of an entry has come. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** How many there are. */
  get size(): number {
    return this.#waits.size + this.#due.length;
  }

  /** Whether the time of one has come. */
  get isDue(): boolean {
    return this.#due.length > 0;
  }

  /** Keeps one for `delay` milliseconds. */
  add(due: Due, delay: number): void {
    const cancel = this.#clock.after(delay, () => {
      this.#waits.delete(due);
      this.now(due);
      this.#onDue();
    });
    this.#waits.set(due, cancel);
  }

  /** Keeps one whose time has come. */
  now(due: Due): void {
    this.#due.push(due);
  }

  /** Takes those whose time has come, at most `count`; without what another process has taken over. */
  take(count: number): Due[] {
    const taken: Due[] = [];
    while (taken.length < count) {
      const due = this.#due.shift();
      if (due === undefined) break;
      if (!due.holding.lost) taken.push(due);
    }
    return taken;
  }

  /** Takes all of them. */
  clear(): Due[] {
    for (const [due, cancel] of this.#waits) {
      cancel();
      this.now(due);
    }
    this.#waits.clear();
    return this.take(Infinity);
  }
}
