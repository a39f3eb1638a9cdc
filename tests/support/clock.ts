/** A clock that a test moves. */
import type { Clock } from "../../src/base/clock.ts";

/** Stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number;
  readonly #start: number;
  readonly #tasks = new Set<{ readonly due: number; readonly task: () => void }>();

  /** Starts at a moment, in milliseconds since the epoch. */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
    this.#start = now;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now - this.#start;
  }

  after(milliseconds: number, task: () => void): () => void {
    const entry = { due: this.#now + milliseconds, task };
    this.#tasks.add(entry);
    return () => void this.#tasks.delete(entry);
  }

  /** How many tasks wait. */
  get waiting(): number {
    return this.#tasks.size;
  }

  /** Moves on, task by task; what a task starts has settled before the next. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#tasks.delete(next);
      this.#now = Math.max(this.#now, next.due);
      next.task();
      await settle();
    }
    this.#now = end;
  }

  /** Moves on at once, as for a process that was stopped; then what is due runs. */
  async jump(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    await this.advance(0);
  }

  #next(end: number) {
    const due = [...this.#tasks].filter((task) => task.due <= end).sort((a, b) => a.due - b.due);
    return due.at(0);
  }
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
