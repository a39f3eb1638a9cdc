/** When a schedule is due: at an interval, or at the times of a cron pattern. */
import { Cron } from "croner";
import type { Clock } from "../base/clock.ts";
import type { Progress } from "../contract/cluster.ts";

/** Below the longest delay of a timer, in milliseconds. */
const LONGEST_DELAY = 24 * 86_400_000;
/** How often a cron pattern looks at the wall clock, which may change, in milliseconds. */
const CLOCK_CHECK = 60_000;
/** How late a missed run may start, in milliseconds. If all are later, the newest one runs. */
const MAKE_UP = 60_000;

/** The time of a run. */
export interface Due {
  /** On the wall clock. */
  readonly at: Date;
  /** On the monotonic clock. */
  readonly elapsed: number;
}

/** The times at which something is due. */
export interface Timetable {
  /** After how many milliseconds at most to call `remaining` again. */
  readonly longestWait: number;
  /** Milliseconds until the next run; 0 or less if it is due. */
  remaining(): number;
  /** Returns the time that is due and moves to the first one in the future. */
  advance(): Due;
  /** Returns the missed times that are to run now, and moves like `advance`. */
  missed(): readonly Due[];
}

/** An interval, measured on the monotonic clock. */
export class Interval implements Timetable {
  readonly longestWait = LONGEST_DELAY;
  readonly #every: number;
  readonly #clock: Clock;
  #due: number;

  /** `every` is in milliseconds. Counts from now, or from the last time of another process. */
  constructor(every: number, clock: Clock, last?: Progress) {
    this.#every = every;
    this.#clock = clock;
    this.#due = clock.elapsed() - (last?.ago ?? 0) + every;
  }

  remaining(): number {
    return this.#due - this.#clock.elapsed();
  }

  advance(): Due {
    const due = this.#at(this.#due);
    this.#skip();
    return due;
  }

  missed(): readonly Due[] {
    const late = this.#clock.elapsed() - this.#due;
    if (late < 0) return [];
    const all = Math.floor(late / this.#every) + 1;
    this.#skip();
    const newest = this.#due - this.#every;
    const recent = Math.floor((MAKE_UP - (this.#clock.elapsed() - newest)) / this.#every) + 1;
    const count = Math.min(all, Math.max(1, recent));
    const due = Array.from({ length: count }, (_, index) => this.#at(newest - index * this.#every));
    return due.reverse();
  }

  /** Moves to the first time in the future. */
  #skip(): void {
    const late = this.#clock.elapsed() - this.#due;
    if (late >= 0) this.#due += this.#every * (Math.floor(late / this.#every) + 1);
  }

  #at(elapsed: number): Due {
    return { at: new Date(this.#clock.now() - (this.#clock.elapsed() - elapsed)), elapsed };
  }
}

/** The times of a cron pattern, on the wall clock. */
export class Calendar implements Timetable {
  readonly longestWait = CLOCK_CHECK;
  readonly #cron: Cron;
  readonly #clock: Clock;
  #due: number;

  /** Starts from now, or from the last time of another process. */
  constructor(pattern: string, clock: Clock, last?: Progress) {
    this.#cron = new Cron(pattern, { paused: true });
    this.#clock = clock;
    this.#due = this.#after(last?.due ?? clock.now());
  }

  remaining(): number {
    return this.#due - this.#clock.now();
  }

  advance(): Due {
    const due = this.#at(this.#due);
    this.#skip();
    return due;
  }

  missed(): readonly Due[] {
    const first = this.#due;
    const now = this.#clock.now();
    const found: Due[] = [];
    // From the newest back. A run at exactly `time` does not count as a previous one.
    for (let time = now + 1;;) {
      const [run] = this.#cron.previousRuns(1, new Date(time));
      time = run?.getTime() ?? -Infinity;
      if (time < first || (found.length > 0 && time < now - MAKE_UP)) break;
      found.unshift(this.#at(time));
    }
    if (found.length > 0) this.#skip();
    return found;
  }

  #skip(): void {
    this.#due = this.#after(Math.max(this.#due, this.#clock.now()));
  }

  #after(time: number): number {
    return this.#cron.nextRun(new Date(time))?.getTime() ?? Infinity;
  }

  #at(time: number): Due {
    return { at: new Date(time), elapsed: this.#clock.elapsed() - (this.#clock.now() - time) };
  }
}
