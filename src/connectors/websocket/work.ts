/** The work of one connection: frames in order, so many at once, and tasks that run alone. */

/** What is to be done with an item; undefined where it ended at once. Never rejects. */
export type Serve<Item> = (item: Item) => Promise<void> | undefined;

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
  #waiting: (Item | Alone)[] = [];
  #head = 0;
  #running = 0;
  #exclusive = false;
  #high = false;
  #idle: (() => void)[] = [];

  /**
   * At most `concurrency` items are at work at once. `pressure` hears when many wait, and when few
   * do again.
   */
  constructor(concurrency: number, serve: Serve<Item>, pressure: (high: boolean) => void) {
    this.#concurrency = concurrency;
    this.#serve = serve;
    this.#pressure = pressure;
  }

  /** Serves an item now, or when its turn comes. */
  push(item: Item): void {
    this.#waiting.push(item);
    this.#next();
    if (!this.#high && this.#count() >= HIGH_MARK) this.#setHigh(true);
  }

  /** Runs a task alone, when everything before it has ended. */
  pushAlone(task: () => Promise<void> | undefined): void {
    this.#waiting.push({ alone: task });
    this.#next();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
    this.#head = 0;
  }

  /** Resolves when nothing is at work and nothing waits. */
  idle(): Promise<void> {
    if (this.#running === 0 && this.#count() === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #next(): void {
    while (this.#head < this.#waiting.length && !this.#exclusive) {
      const item = this.#waiting[this.#head];
      const alone = "alone" in item;
      if (this.#running >= (alone ? 1 : this.#concurrency)) break;
      this.#head++;
      if (this.#head === this.#waiting.length) this.clear();
      const ended = alone ? (item as Alone).alone() : this.#serve(item as Item);
      if (ended !== undefined) this.#follow(ended, alone);
    }
    if (this.#high && this.#count() <= HIGH_MARK / 2) this.#setHigh(false);
    if (this.#running === 0 && this.#count() === 0) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  #follow(ended: Promise<void>, exclusive: boolean): void {
    this.#running++;
    this.#exclusive = exclusive;
    ended.finally(() => {
      this.#running--;
      if (exclusive) this.#exclusive = false;
      this.#next();
    });
  }

  #count(): number {
    return this.#waiting.length - this.#head;
  }

  #setHigh(high: boolean): void {
    this.#high = high;
    this.#pressure(high);
  }
}
