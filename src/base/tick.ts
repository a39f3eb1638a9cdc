/** The end of an event loop's tick, where the runtime lets us ask for it. */

const { setImmediate } = globalThis as {
  readonly setImmediate?: (callback: () => void) => void;
};

/** Runs a function once everything that has arrived has been read. */
export const endOfTick: (callback: () => void) => void = setImmediate ??
  ((callback) => void setTimeout(callback, 0));
