/** Runs a flow whenever its schedule is due. */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Logger } from "../contract/connector.ts";
import { FlowError } from "../base/errors.ts";
import { Calendar, type Due, Interval, type Progress } from "../base/timetable.ts";
import type { Schedule } from "../model/schedule.ts";

/** A schedule at work. */
export interface RunningSchedule {
  /** Starts no further run and waits for the one in flight. */
  stop(): Promise<void>;
}

/** What passes a schedule from one process to the next. */
export interface Handover {
  /** How far another process has come; undefined where none has run it before. */
  readonly last: Progress | undefined;
  /** Called each time this process has come further. */
  note(progress: Progress): void;
}

/**
 * Calls `run` whenever the schedule is due, the first time after one interval. `scheduledAt` is when
 * the run was due. A run that is due while the former is still going is left out, which is logged at
 * debug; so is what was due while the process was held up. `@every` counts from the start, without
 * drift, and the wall clock does not matter to it; a wall clock that jumps ahead makes a cron
 * pattern due once. A `FlowError` of `run` has been logged by the flow; what else it throws is
 * logged as an error.
 *
 * With `handover` it continues what another process has begun: it repeats the run that has not ended
 * there, and then makes up for the times that have been due since, one after the other. Times more
 * than a minute ago are left out; where all of them are, the newest is made up for.
 */
export function startSchedule(
  schedule: Schedule,
  run: (scheduledAt: Date) => unknown,
  logger: Logger,
  clock: Clock = systemClock,
  handover?: Handover,
): RunningSchedule {
  const last = handover?.last;
  const timetable = "every" in schedule
    ? new Interval(schedule.every, clock, last)
    : new Calendar(schedule.cron, clock, last);
  let cancel: (() => void) | undefined;
  let inFlight: Promise<void> | undefined;
  let stopped = false;
  /** The latest time that needs no other run. */
  let latest: Due = {
    at: new Date(last?.due ?? clock.now()),
    elapsed: clock.elapsed() - (last?.ago ?? 0),
  };
  let unfinished = last?.unfinished ?? null;
  /** True while it makes up for times. The newest one that becomes due meanwhile runs after them. */
  let makesUp = false;
  let next: Due | undefined;

  const note = (): void => {
    const ago = clock.elapsed() - latest.elapsed;
    handover?.note({ due: latest.at.getTime(), ago, unfinished });
  };
  const start = async (scheduledAt: Date): Promise<void> => {
    unfinished = scheduledAt.getTime();
    note();
    try {
      await run(scheduledAt);
    } catch (error) {
      if (!(error instanceof FlowError)) logger.error("A scheduled run broke: {error}", { error });
    }
    unfinished = null;
    note();
  };
  const startDue = (due: Due): Promise<void> => {
    latest = due;
    return start(due.at);
  };
  const makeUp = async (repeated: Date | undefined, missed: readonly Due[]): Promise<void> => {
    makesUp = true;
    if (repeated !== undefined) await start(repeated);
    for (const due of missed) if (!stopped) await startDue(due);
    makesUp = false;
    if (next !== undefined && !stopped) await startDue(next);
  };
  const go = (running: Promise<void>): void => {
    inFlight = running.then(() => {
      inFlight = undefined;
    });
  };
  const wait = (): void => {
    const delay = Math.min(timetable.remaining(), timetable.longestWait);
    cancel = clock.after(Math.max(0, Math.ceil(delay)), wake);
  };
  const wake = (): void => {
    // A timer may be early, or have waited for a part of the time only.
    if (timetable.remaining() > 0) return wait();
    const due = timetable.advance();
    wait();
    if (inFlight === undefined) return go(startDue(due));
    if (makesUp) return void (next = due);
    latest = due;
    note();
    const { at } = due;
    logger.debug("The run due at {scheduledAt} is left out: one is going", { scheduledAt: at });
  };
  const repeated = unfinished === null ? undefined : new Date(unfinished);
  const missed = last === undefined ? [] : timetable.missed();
  if (repeated === undefined && missed.length === 0) note();
  else go(makeUp(repeated, missed));
  wait();
  return {
    async stop() {
      stopped = true;
      cancel?.();
      await inFlight;
    },
  };
}
