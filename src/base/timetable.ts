/** When a schedule is due: at an interval, or when the wall clock matches a cron pattern. */
import { Cron } from "croner";
import type { Clock } from "./clock.ts";

/** The longest delay that timers take, with room. */
const LONGEST_DELAY = 24 * 86_400_000;
/** How long a change of the wall clock may go unnoticed by a cron pattern. */
const CLOCK_CHECK = 60_000;
/** Older times are not made up for, except the newest where all are older; in milliseconds. */
const MAKE_UP = 60_000;

/** A time at which a run is due. */
export interface Due {
  /** On the wall clock. */
  readonly at: Date;
  /** On the monotonic clock. */
  readonly elapsed: number;
}

/** How far a schedule has come: from there another process can go on. */
export interface Progress {
  /** The latest time that was due and needs no run any more, in milliseconds since the epoch. */
  readonly due: number;
  /** How many milliseconds ago that was, by the monotonic clock. */
  readonly ago: number;
  /** The time whose run has not ended, in milliseconds since the epoch; null where none is running. */
  readonly unfinished: number | null;
}

/** The times at which something is due. */
export interface Timetable {
  /** How many milliseconds may pass before `remaining` must be asked again. */
  readonly longestWait: number;
  /** Milliseconds until the next run is due; 0 or less when it is. */
  remaining(): number;
  /** Returns the time that is due, and moves on to the first one that is still to come. */
  advance(): Due;
  /** Returns the times since `last` that are to be made up for, and moves on like `advance`. */
  missed(): readonly Due[];
}

/** Due at an interval, measured on the monotonic clock. */
export class Interval implements Timetable {
  readonly longestWait = LONGEST_DELAY;
  readonly #every: number;
  readonly #clock: Clock;
  #due: number;

  /** Counts from now, or from the last time that was due in another process. */
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

  /** To the first time that is still to come. */
  #skip(): void {
    const late = this.#clock.elapsed() - this.#due;
    if (late >= 0) this.#due += this.#every * (Math.floor(late / this.#every) + 1);
  }

  #at(elapsed: number): Due {
    return { at: new Date(this.#clock.now() - (this.#clock.elapsed() - elapsed)), elapsed };
  }
}

/** Due when the wall clock matches a cron pattern. */
export class Calendar implements Timetable {
  readonly longestWait = CLOCK_CHECK;
  readonly #cron: Cron;
  readonly #clock: Clock;
  #due: number;

  /** Looks forward from now, or from the last time that was due in another process. */
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
    // From the newest back. A run at the time that is asked for is not before it.
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
