/** Time as flows and connectors see it, so that a test can hold it in its hand. */

/** Tells the time and waits. */
export interface Clock {
  /** Milliseconds since the epoch, as the wall clock says; it may jump. */
  now(): number;
  /** Milliseconds since some moment; never jumps and never runs backwards. */
  elapsed(): number;
  /** Calls `task` once, so many milliseconds from now, and gives what cancels it. */
  after(milliseconds: number, task: () => void): () => void;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  },
};
