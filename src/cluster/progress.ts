/** How far the schedules of a service have come. No I/O. */
import type { Clock } from "../base/clock.ts";
import type { Progress } from "../contract/cluster.ts";

/** The latest progress of every schedule, which outlives the member that runs it. */
export class ScheduleProgress {
  readonly #clock: Clock;
  /** `since` is the moment of the progress on the clock. */
  readonly #saved = new Map<string, { readonly progress: Progress; readonly since: number }>();

  /** Measures the age of each progress with a clock. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The schedules that have a progress. */
  get schedules(): Iterable<string> {
    return this.#saved.keys();
  }

  /** How many schedules have a progress. */
  get size(): number {
    return this.#saved.size;
  }

  /** Replaces the progress of a schedule. */
  save(schedule: string, progress: Progress): void {
    this.#saved.set(schedule, { progress, since: this.#clock.elapsed() - progress.ago });
  }

  /** The latest progress, its age as of now. */
  load(schedule: string): Progress | undefined {
    const saved = this.#saved.get(schedule);
    return saved && { ...saved.progress, ago: this.#clock.elapsed() - saved.since };
  }

  /** Forgets the progress of all schedules. */
  clear(): void {
    this.#saved.clear();
  }
}
