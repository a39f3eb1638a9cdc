/** When a flow without a source runs: its `when`. */
import { Cron } from "croner";
import { type Clock, systemClock } from "./clock.ts";
import type { Logger } from "./connector.ts";
import type { Complaint } from "./connector-type.ts";
import { FlowError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import { duration } from "./values.ts";

/** Every so many milliseconds, or by a cron pattern in the time zone of the process. */
export type Schedule = { readonly every: number } | { readonly cron: string };

/** A schedule at work. */
export interface RunningSchedule {
  /** Starts no further run and waits for the one in flight. */
  stop(): Promise<void>;
}

const NICKNAMES: readonly string[] = [
  "@hourly",
  "@daily",
  "@midnight",
  "@weekly",
  "@monthly",
  "@yearly",
  "@annually",
];
const EXAMPLE = 'write it as "@every 30s" or as a cron pattern such as "*/5 * * * *"';

/** The longest delay that timers take, with room. */
const LONGEST_DELAY = 24 * 86_400_000;
/** How long a change of the wall clock may go unnoticed by a cron pattern. */
const CLOCK_CHECK = 60_000;

/**
 * Reads a `when`: `@every DURATION`, five cron fields, six with seconds in front, or a nickname
 * such as `@daily`. Says what is wrong with any other text.
 */
export function parseSchedule(text: string): Schedule | Complaint {
  const complain = (message: string, hint?: string): Complaint => ({
    attribute: "when",
    message: `cannot run at "${text}": ${message}`,
    ...(hint === undefined ? {} : { hint }),
  });
  const trimmed = text.trim();
  const [word, ...rest] = trimmed.split(/\s+/);
  if (word === "@every") {
    const result = duration({ max: Number.MAX_SAFE_INTEGER }).parse(rest.join(" "));
    return "value" in result
      ? { every: result.value }
      : complain(`the time after @every ${result.problem}`);
  }
  if (word.startsWith("@")) {
    if (NICKNAMES.includes(word)) {
      return rest.length === 0 ? { cron: word } : complain(`nothing can follow "${word}"`);
    }
    return complain(
      `"${word}" is no schedule`,
      didYouMean(word, ["@every", ...NICKNAMES]) ?? EXAMPLE,
    );
  }
  if (rest.length !== 4 && rest.length !== 5) {
    return complain("a cron pattern has five fields, or six with seconds in front", EXAMPLE);
  }
  try {
    const cron = new Cron(trimmed, { paused: true, mode: "5-or-6-parts" });
    return cron.nextRun() === null ? complain("that never comes") : { cron: trimmed };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return complain(error.message.replace(/^CronPattern: /, ""), EXAMPLE);
  }
}

/**
 * Calls `run` whenever the schedule is due, the first time after one interval. `scheduledAt` is when
 * the run was due. A run that is due while the former is still going is left out, which is logged at
 * debug; so is what was due while the process was held up. `@every` counts from the start, without
 * drift, and the wall clock does not matter to it; a wall clock that jumps ahead makes a cron
 * pattern due once. A `FlowError` of `run` has been logged by the flow; what else it throws is
 * logged as an error.
 */
export function startSchedule(
  schedule: Schedule,
  run: (scheduledAt: Date) => unknown,
  logger: Logger,
  clock: Clock = systemClock,
): RunningSchedule {
  const timetable = "every" in schedule
    ? new Interval(schedule.every, clock)
    : new Calendar(schedule.cron, clock);
  let cancel: (() => void) | undefined;
  let inFlight: Promise<void> | undefined;

  const start = async (scheduledAt: Date): Promise<void> => {
    try {
      await run(scheduledAt);
    } catch (error) {
      if (!(error instanceof FlowError)) logger.error("A scheduled run broke: {error}", { error });
    }
  };
  const wait = (): void => {
    const delay = Math.min(timetable.remaining(), timetable.longestWait);
    cancel = clock.after(Math.max(0, Math.ceil(delay)), wake);
  };
  const wake = (): void => {
    // A timer may be early, or have waited for a part of the time only.
    if (timetable.remaining() > 0) return wait();
    const scheduledAt = timetable.advance();
    wait();
    if (inFlight === undefined) {
      inFlight = start(scheduledAt).then(() => {
        inFlight = undefined;
      });
    } else logger.debug("The run due at {scheduledAt} is left out: one is going", { scheduledAt });
  };
  wait();
  return {
    async stop() {
      cancel?.();
      await inFlight;
    },
  };
}

/** Due every so many milliseconds, counted on the monotonic clock. */
class Interval {
  readonly longestWait = LONGEST_DELAY;
  readonly #every: number;
  readonly #clock: Clock;
  #due: number;

  constructor(every: number, clock: Clock) {
    this.#every = every;
    this.#clock = clock;
    this.#due = clock.elapsed() + every;
  }

  /** Milliseconds until the next run is due; 0 or less when it is. */
  remaining(): number {
    return this.#due - this.#clock.elapsed();
  }

  /** When the run that is due was due; the next is the first that is still to come. */
  advance(): Date {
    const late = this.#clock.elapsed() - this.#due;
    this.#due += this.#every * (Math.floor(late / this.#every) + 1);
    return new Date(this.#clock.now() - late);
  }
}

/** Due when the wall clock matches a cron pattern. */
class Calendar {
  readonly longestWait = CLOCK_CHECK;
  readonly #cron: Cron;
  readonly #clock: Clock;
  #due: number;

  constructor(pattern: string, clock: Clock) {
    this.#cron = new Cron(pattern, { paused: true });
    this.#clock = clock;
    this.#due = this.#after(clock.now());
  }

  remaining(): number {
    return this.#due - this.#clock.now();
  }

  advance(): Date {
    const due = this.#due;
    this.#due = this.#after(Math.max(due, this.#clock.now()));
    return new Date(due);
  }

  #after(time: number): number {
    return this.#cron.nextRun(new Date(time))?.getTime() ?? Infinity;
  }
}
