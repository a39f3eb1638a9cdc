/** The time of flows and connectors, which a test can control. */

/** A source of time and timers. */
export interface Clock {
  /** The wall clock in milliseconds since the epoch. It may jump. */
  now(): number;
  /** A monotonic clock in milliseconds: it never jumps. Only differences have a meaning. */
  elapsed(): number;
  /** Calls `task` once after `milliseconds`. Returns a function that cancels it. */
  after(milliseconds: number, task: () => void): () => void;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(milliseconds, task) {
    const timer = setTimeout(task, milliseconds);
    return () => clearTimeout(timer);
  },
};

const { setImmediate } = globalThis as {
  readonly setImmediate?: (callback: () => void) => void;
};

/** Calls a function when the event loop has read everything that has arrived. */
export const endOfTick: (callback: () => void) => void = setImmediate ??
  ((callback) => void setTimeout(callback, 0));
