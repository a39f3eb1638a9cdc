/** A clock that stands still until it is moved. */
import type { Clock } from "../base/clock.ts";

/** When every test begins. */
const START = Date.UTC(2026, 0, 1);

interface Task {
  readonly due: number;
  readonly run: () => void;
}

/** The time of tests. */
export class ManualClock implements Clock {
  #now = START;
  /** In the order in which they were set. */
  readonly #tasks = new Set<Task>();

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now - START;
  }

  after(milliseconds: number, task: () => void): () => void {
    const item = { due: this.#now + Math.max(0, milliseconds), run: task };
    this.#tasks.add(item);
    return () => void this.#tasks.delete(item);
  }

  /** Whether something waits for a time up to this one. */
  isDue(time: number): boolean {
    const next = this.#next();
    return next !== undefined && next.due <= time;
  }

  /** Goes to the time of the task that is due next, and runs it. */
  runNext(): void {
    const next = this.#next();
    if (next === undefined) return;
    this.#tasks.delete(next);
    this.#now = Math.max(this.#now, next.due);
    next.run();
  }

  /** Goes on to a time before which nothing is due. */
  moveTo(time: number): void {
    this.#now = time;
  }

  /** Begins anew, at the same time as every test, with no tasks. */
  reset(): void {
    this.#now = START;
    this.#tasks.clear();
  }

  /** Of several that are due at once, the one that was set first. */
  #next(): Task | undefined {
    let next: Task | undefined;
    for (const task of this.#tasks) {
      if (next === undefined || task.due < next.due) next = task;
    }
    return next;
  }
}

/** A clock's time for one connector: it knows whether the connector waits for it. */
export class WatchedClock implements Clock {
  readonly #clock: Clock;
  readonly #changed: () => void;
  #waiting = 0;

  /** Shows the time of `clock`; `changed` is told when somebody begins to wait for it. */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** True where something waits for time to pass. */
  get isAwaited(): boolean {
    return this.#waiting > 0;
  }

  now(): number {
    return this.#clock.now();
  }

  elapsed(): number {
    return this.#clock.elapsed();
  }

  after(milliseconds: number, task: () => void): () => void {
    let over = false;
    const end = (): void => {
      if (!over) this.#waiting--;
      over = true;
    };
    this.#waiting++;
    this.#changed();
    const cancel = this.#clock.after(milliseconds, () => {
      end();
      task();
    });
    return () => {
      end();
      cancel();
    };
  }
}
