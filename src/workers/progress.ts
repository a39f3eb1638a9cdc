/** How far the schedules of a service have come, beyond the worker that runs them. */
import type { Clock } from "../base/clock.ts";
import type { Progress } from "../contract/cluster.ts";

/** A note and the moment that it is about, by the supervisor's clock. */
interface Note {
  readonly progress: Progress;
  readonly elapsed: number;
}

/** Keeps the latest note of each schedule. */
export class Notes {
  readonly #clock: Clock;
  readonly #notes = new Map<string, Note>();

  /** Measures with a clock how old a note is. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Replaces the note of a schedule. */
  note(schedule: string, progress: Progress): void {
    this.#notes.set(schedule, { progress, elapsed: this.#clock.elapsed() - progress.ago });
  }

  /** The latest note, as of now. */
  of(schedule: string): Progress | undefined {
    const note = this.#notes.get(schedule);
    return note && { ...note.progress, ago: this.#clock.elapsed() - note.elapsed };
  }

  /** Forgets all. */
  clear(): void {
    this.#notes.clear();
  }
}
