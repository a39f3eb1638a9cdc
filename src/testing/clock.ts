/** A clock that only a test moves. */
import type { Clock } from "../base/clock.ts";

/** The time at which every test begins. */
const START = Date.UTC(2026, 0, 1);

interface Task {
  readonly due: number;
  readonly run: () => void;
}

/** The clock of tests. */
export class ManualClock implements Clock {
  #now = START;
  /** In the order in which they were added. */
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

  /** Whether a task is due at a time or before. */
  isDue(time: number): boolean {
    const next = this.#next();
    return next !== undefined && next.due <= time;
  }

  /** Moves to the time of the next task, and runs it. */
  runNext(): void {
    const next = this.#next();
    if (next === undefined) return;
    this.#tasks.delete(next);
    this.#now = Math.max(this.#now, next.due);
    next.run();
  }

  /** Moves to a time. No task may be due before it. */
  moveTo(time: number): void {
    this.#now = time;
  }

  /** Returns to the start, without tasks. */
  reset(): void {
    this.#now = START;
    this.#tasks.clear();
  }

  /** The next task; of several at the same time, the one that was added first. */
  #next(): Task | undefined {
    let next: Task | undefined;
    for (const task of this.#tasks) {
      if (next === undefined || task.due < next.due) next = task;
    }
    return next;
  }
}

/** The clock of one connector, which knows whether the connector waits for it. */
export class WatchedClock implements Clock {
  readonly #clock: Clock;
  readonly #changed: () => void;
  #waiting = 0;

  /** Has the time of `clock`; calls `changed` when a wait begins. */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** True if anything waits for the clock. */
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
