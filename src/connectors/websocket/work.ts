/** The work of one connection: frames in order, so many at once, and tasks that run alone. */
import { Fifo } from "../../base/fifo.ts";

/** What is to be done with an item; undefined where it ended at once. Never throws or rejects. */
export type Serve<Item> = (item: Item) => Promise<void> | undefined;

/** An item that waits for its turn. */
interface Waiting<Item> {
  readonly item: Item;
  readonly size: number;
}

/** A task that begins when all before it has ended, and that all after it waits for. */
interface Alone {
  readonly alone: () => Promise<void> | undefined;
}

/** From this many waiting items on, `pressure` is told. */
const HIGH_MARK = 64;

/** Serves items in the order in which they were pushed. */
export class WorkQueue<Item extends object> {
  readonly #concurrency: number;
  readonly #serve: Serve<Item>;
  readonly #pressure: (high: boolean) => void;
  readonly #sizeMark: number;
  #waiting = new Fifo<Waiting<Item> | Alone>();
  #size = 0;
  #running = 0;
  #exclusive = false;
  #high = false;
  #idle: (() => void)[] = [];

  /**
   * At most `concurrency` items are at work at once. `pressure` hears when 64 wait, or more than
   * `sizeMark` in all, and when half of that is left.
   */
  constructor(
    concurrency: number,
    serve: Serve<Item>,
    pressure: (high: boolean) => void,
    sizeMark: number = Infinity,
  ) {
    this.#concurrency = concurrency;
    this.#serve = serve;
    this.#pressure = pressure;
    this.#sizeMark = sizeMark;
  }

  /** Serves an item of this size now, or when its turn comes. */
  push(item: Item, size: number = 0): void {
    if (this.#waiting.length === 0 && this.#hasRoom(this.#concurrency)) {
      // Most items find nothing before them, and need no place to wait in.
      this.#begin(false);
      this.#watch(this.#serve(item));
      return this.#next();
    }
    this.#waiting.push({ item, size });
    this.#size += size;
    const high = this.#waiting.length >= HIGH_MARK || this.#size > this.#sizeMark;
    if (high && !this.#high) this.#setHigh(true);
  }

  /** Runs a task alone, when everything before it has ended. */
  pushAlone(task: () => Promise<void> | undefined): void {
    this.#waiting.push({ alone: task });
    this.#next();
  }

  /** Forgets what waits. */
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

  /** Whether nothing is at work and nothing waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Resolves when nothing is at work and nothing waits. */
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
        this.#watch(this.#serve(next.item));
      }
    }
    if (this.#high && this.#isLow()) this.#setHigh(false);
    if (this.#idle.length > 0 && this.isIdle) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** What has waited longest, where it may begin now. */
  #due(): Waiting<Item> | Alone | undefined {
    const next = this.#waiting.peek();
    if (next === undefined) return undefined;
    return this.#hasRoom("alone" in next ? 1 : this.#concurrency) ? next : undefined;
  }

  /** Whether something may begin that may be at work beside fewer than `most` others. */
  #hasRoom(most: number): boolean {
    return !this.#exclusive && this.#running < most;
  }

  /** Comes before the work itself: what that pushes waits for its end. */
  #begin(alone: boolean): void {
    this.#running++;
    this.#exclusive = alone;
  }

  #watch(ended: Promise<void> | undefined): void {
    if (ended === undefined) this.#end();
    else ended.then(this.#endLater);
  }

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
