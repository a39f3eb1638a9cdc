/** Runs a flow at the times of its schedule. */
import { type Clock, systemClock } from "../base/clock.ts";
import { FlowError } from "../base/errors.ts";
import type { Progress } from "../contract/cluster.ts";
import type { Logger } from "../contract/connector.ts";
import type { Schedule } from "../model/schedule.ts";
import { Calendar, type Due, Interval } from "./timetable.ts";

/** A schedule at work. */
export interface RunningSchedule {
  /** Starts no more runs and waits for the one in flight. */
  stop(): Promise<void>;
}

/** Passes a schedule from one process to the next. */
export interface Handover {
  /** The progress of the previous process; undefined if there was none. */
  readonly last: Progress | undefined;
  /** Called with the progress of this process whenever it changes. */
  save(progress: Progress): void;
  /** Whether this process may begin a run now. What is due while it may not, is due until it may. */
  readonly mayRun?: (() => boolean) | undefined;
}

/** Milliseconds until a schedule that may not run asks again. */
const HELD_BACK = 500;

/**
 * Calls `run` whenever the schedule is due, with the time at which it was due. `@every` is first due
 * after one interval. It does not drift, and the wall clock does not affect it. When the wall clock
 * jumps ahead, a cron pattern is due once.
 *
 * A run that is due while the previous one is in flight is skipped: `skipped` is called, and the first
 * of several in a row is a warning in the log. Runs that were due while the process was blocked are
 * skipped without a word. Errors of `run` are logged, except a `FlowError`, which the flow has logged.
 *
 * With `handover`, the schedule continues that of another process. It repeats the run that has not
 * ended there and then runs at the times that were missed, one after the other. Times more than a
 * minute ago are skipped, but if all are, it runs for the newest.
 */
export function startSchedule(
  schedule: Schedule,
  run: (scheduledAt: Date) => unknown,
  logger: Logger,
  clock: Clock = systemClock,
  handover?: Handover,
  skipped?: () => void,
): RunningSchedule {
  const last = handover?.last;
  const timetable = "every" in schedule
    ? new Interval(schedule.every, clock, last)
    : new Calendar(schedule.cron, clock, last);
  let cancel: (() => void) | undefined;
  let inFlight: Promise<void> | undefined;
  let stopped = false;
  /** The last time that needs no run any more. */
  let latest: Due = {
    at: new Date(last?.due ?? clock.now()),
    elapsed: clock.elapsed() - (last?.ago ?? 0),
  };
  let unfinished = last?.unfinished ?? null;
  /** True while missed times run. The newest time that becomes due meanwhile runs after them. */
  let catchingUp = false;
  let next: Due | undefined;
  /** Whether something was due while it might not run. */
  let heldBack = false;
  /** Whether the last run that was due has been skipped. */
  let behind = false;
  const mayRun = handover?.mayRun ?? (() => true);
  let endPause: (() => void) | undefined;

  const save = (): void => {
    const ago = clock.elapsed() - latest.elapsed;
    handover?.save({ due: latest.at.getTime(), ago, unfinished });
  };
  const start = async (scheduledAt: Date): Promise<void> => {
    unfinished = scheduledAt.getTime();
    save();
    try {
      await run(scheduledAt);
    } catch (error) {
      if (!(error instanceof FlowError)) logger.error("scheduled run failed: {error}", { error });
    }
    unfinished = null;
    save();
  };
  const startDue = (due: Due): Promise<void> => {
    latest = due;
    return start(due.at);
  };
  /** Resolves when it may run, or is stopped. */
  const permission = async (): Promise<void> => {
    while (!stopped && !mayRun()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancelPause = clock.after(HELD_BACK, resolve);
      endPause = () => {
        cancelPause();
        resolve();
      };
      await promise;
    }
  };
  const catchUp = async (repeated: Date | undefined, missed: readonly Due[]): Promise<void> => {
    catchingUp = true;
    if (repeated !== undefined) {
      if (!mayRun()) await permission();
      if (!stopped) await start(repeated);
    }
    for (const due of missed) {
      if (!mayRun()) await permission();
      if (!stopped) await startDue(due);
    }
    catchingUp = false;
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
    // A timer may fire early, and `longestWait` may be shorter than the time that remains.
    if (timetable.remaining() > 0) return wait();
    if (!mayRun()) {
      heldBack = true;
      cancel = clock.after(HELD_BACK, wake);
      return;
    }
    if (heldBack && inFlight === undefined) {
      heldBack = false;
      go(catchUp(undefined, timetable.missed()));
      return wait();
    }
    heldBack = false;
    const due = timetable.advance();
    wait();
    if (inFlight === undefined) {
      behind = false;
      return go(startDue(due));
    }
    if (catchingUp) return void (next = due);
    latest = due;
    save();
    skipped?.();
    const level = behind ? "debug" : "warn";
    behind = true;
    logger[level](
      "skipped the run due at {scheduledAt}, since the previous one has not ended; " +
        "make the flow faster or its schedule less frequent",
      { scheduledAt: due.at.toISOString() },
    );
  };
  const repeated = unfinished === null ? undefined : new Date(unfinished);
  const missed = last === undefined ? [] : timetable.missed();
  if (repeated === undefined && missed.length === 0) save();
  else go(catchUp(repeated, missed));
  wait();
  return {
    async stop() {
      stopped = true;
      cancel?.();
      endPause?.();
      await inFlight;
    },
  };
}
