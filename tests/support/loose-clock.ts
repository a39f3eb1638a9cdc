/** Time for parts that keep something for minutes, and that no test closes. */
import { clearTimeout, setTimeout } from "node:timers";
import { type Clock, systemClock } from "../../src/base/clock.ts";

/** A timer that is longer, in milliseconds, does not keep the process of a test alive. */
const LONG = 30_000;

/** As `systemClock`, but for long timers. */
export const looseClock: Clock = {
  now: () => systemClock.now(),
  elapsed: () => systemClock.elapsed(),
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds);
    if (milliseconds > LONG) timer.unref();
    return () => clearTimeout(timer);
  },
};
