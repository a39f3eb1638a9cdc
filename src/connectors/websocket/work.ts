/** The work of one connection: frames in order, so many at once, and tasks that run alone. */
import { Fifo } from "../../fifo.ts";

/** What is to be done with an item; undefined where it ended at once. Never throws or rejects. */
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
  #waiting = new Fifo<Item | Alone>();
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
    if (!this.#high && this.#waiting.length >= HIGH_MARK) this.#setHigh(true);
  }

  /** Runs a task alone, when everything before it has ended. */
  pushAlone(task: () => Promise<void> | undefined): void {
    this.#waiting.push({ alone: task });
    this.#next();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = new Fifo();
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
    for (let item = this.#due(); item !== undefined; item = this.#due()) {
      this.#waiting.shift();
      const alone = "alone" in item;
      // At work from here on: what it pushes itself waits for its end.
      this.#running++;
      this.#exclusive = alone;
      const ended = alone ? (item as Alone).alone() : this.#serve(item as Item);
      if (ended === undefined) this.#end();
      else ended.then(this.#endLater);
    }
    if (this.#high && this.#waiting.length <= HIGH_MARK / 2) this.#setHigh(false);
    if (this.#idle.length > 0 && this.isIdle) {
      for (const resolve of this.#idle.splice(0)) resolve();
    }
  }

  /** The oldest item, where it may begin now. */
  #due(): Item | Alone | undefined {
    const item = this.#waiting.peek();
    if (item === undefined || this.#exclusive) return undefined;
    return this.#running < ("alone" in item ? 1 : this.#concurrency) ? item : undefined;
  }

  #end(): void {
    this.#running--;
    this.#exclusive = false;
  }

  readonly #endLater = (): void => {
    this.#end();
    this.#next();
  };

  #setHigh(high: boolean): void {
    this.#high = high;
    this.#pressure(high);
  }
}
