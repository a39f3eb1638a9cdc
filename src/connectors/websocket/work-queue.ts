/** Serves items in the order in which they were pushed, some of them at once. No I/O. */
import { Fifo } from "../../base/fifo.ts";
import { isPlaced } from "../../contract/placed.ts";

/** From this many waiting items on, a queue reports pressure. */
const HIGH_MARK = 64;

/** How items are served. */
export interface Serving<Item> {
  /**
   * Serves an item. Returns undefined where it ended at once. Must not throw or reject. A promise that
   * is `placed` waits for a confirmation alone: the next item begins, and answers `after` it.
   */
  serve(item: Item, after: Promise<void> | undefined): Promise<void> | undefined;
  /** Whether an item begins only when all before it have ended; false where absent. */
  needsAll?(item: Item): boolean;
}

/** At most this many items wait for a confirmation alone. */
const MAX_PLACED = 256;

/** An item that waits for its turn. */
interface Waiting<Item> {
  readonly item: Item;
  readonly size: number;
}

/** A task that starts when everything before it has ended, and that everything after it waits for. */
interface Alone {
  readonly alone: () => Promise<void> | undefined;
}

/** Serves items in the order in which they were pushed. */
export class WorkQueue<Item extends object> {
  readonly #concurrency: number;
  readonly #serving: Serving<Item>;
  readonly #pressure: (high: boolean) => void;
  readonly #sizeMark: number;
  #waiting = new Fifo<Waiting<Item> | Alone>();
  #size = 0;
  #running = 0;
  /** How many wait for a confirmation alone, and the newest of them. */
  #placed = 0;
  #lastPlaced: Promise<void> | undefined;
  #exclusive = false;
  #high = false;
  #idle: (() => void)[] = [];

  /**
   * Serves at most `concurrency` items at once. Calls `pressure(true)` when 64 items wait or their
   * sizes add up to more than `sizeMark`, and `pressure(false)` when half of that is left.
   */
  constructor(
    concurrency: number,
    serving: Serving<Item>,
    pressure: (high: boolean) => void,
    sizeMark: number = Infinity,
  ) {
    this.#concurrency = concurrency;
    this.#serving = serving;
    this.#pressure = pressure;
    this.#sizeMark = sizeMark;
  }

  /** Serves an item of this size now, or when its turn comes. */
  push(item: Item, size: number = 0): void {
    if (this.#waiting.length === 0 && this.#mayBegin(item)) {
      // Most items find an empty queue and need not wait.
      this.#begin(false);
      this.#watch(this.#serving.serve(item, this.#lastPlaced));
      return this.#next();
    }
    this.#waiting.push({ item, size });
    this.#size += size;
    const high = this.#waiting.length >= HIGH_MARK || this.#size > this.#sizeMark;
    if (high && !this.#high) this.#setHigh(true);
  }

  /** Runs a task alone, after everything before it has ended. */
  pushAlone(task: () => Promise<void> | undefined): void {
    this.#waiting.push({ alone: task });
    this.#next();
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#waiting = new Fifo();
    this.#size = 0;
  }

  /** How many items and tasks wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The sizes of all items that wait, added up. */
  get size(): number {
    return this.#size;
  }

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#running + this.#placed === 0 && this.#waiting.length === 0;
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    for (let next = this.#due(); next !== undefined; next = this.#due()) {
      this.#waiting.shift();
      if ("alone" in next) {
        this.#begin(true);
        this.#watch(next.alone());
      } else {
        this.#size -= next.size;
        this.#begin(false);
        this.#watch(this.#serving.serve(next.item, this.#lastPlaced));
      }
    }
    if (this.#high && this.#isLow()) this.#setHigh(false);
    if (this.#idle.length > 0 && this.isIdle) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The item that has waited longest, where it may start now. */
  #due(): Waiting<Item> | Alone | undefined {
    const next = this.#waiting.peek();
    if (next === undefined) return undefined;
    const may = "alone" in next
      ? this.#hasRoom(1) && this.#placed === 0
      : this.#mayBegin(next.item);
    return may ? next : undefined;
  }

  #mayBegin(item: Item): boolean {
    if (!this.#hasRoom(this.#concurrency)) return false;
    return this.#placed === 0 || !(this.#serving.needsAll?.(item) ?? false);
  }

  /** Whether one more may run, where at most `max` run at once. */
  #hasRoom(max: number): boolean {
    return !this.#exclusive && this.#running < max;
  }

  /** Called before the work itself, so that what the work pushes waits for its end. */
  #begin(alone: boolean): void {
    this.#running++;
    this.#exclusive = alone;
  }

  #watch(ended: Promise<void> | undefined): void {
    if (ended === undefined) this.#end();
    else if (isPlaced(ended) && this.#placed < MAX_PLACED) {
      this.#end();
      this.#placed++;
      this.#lastPlaced = ended;
      ended.then(this.#confirmed);
    } else ended.then(this.#endLater);
  }

  readonly #confirmed = (): void => {
    if (--this.#placed === 0) this.#lastPlaced = undefined;
    this.#next();
  };

  #end(): void {
    this.#running--;
    this.#exclusive = false;
  }

  readonly #endLater = (): void => {
    this.#end();
    this.#next();
  };

  #isLow(): boolean {
    return this.#waiting.length <= HIGH_MARK / 2 && this.#size <= this.#sizeMark / 2;
  }

  #setHigh(high: boolean): void {
    this.#high = high;
    this.#pressure(high);
  }
}
