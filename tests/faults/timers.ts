/** Counts the timers that are set in this process and neither fired nor cleared. */

type Callback = (...args: unknown[]) => void;
type Handle = ReturnType<typeof setTimeout>;

/** The runtime's own, for those who are not to be counted. */
export const uncounted = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};

/** Puts counting timers in the place of the runtime's own until it is stopped. */
export class TimerLedger {
  readonly #active = new Map<Handle, string>();

  constructor() {
    const set = (
      kind: "setTimeout" | "setInterval",
      callback: Callback,
      delay: number | undefined,
      args: readonly unknown[],
    ): Handle => {
      const handle: Handle = uncounted[kind](
        (...given: unknown[]) => {
          if (kind === "setTimeout") this.#active.delete(handle);
          callback(...given);
        },
        delay,
        ...args,
      ) as Handle;
      const callers = new Error().stack?.split("\n").slice(3, 6).map((line) => line.trim());
      this.#active.set(handle, [kind, delay, ...callers ?? []].join(" "));
      return handle;
    };
    const clear = (handle: Handle | undefined): void => {
      if (handle === undefined || handle === null) return;
      this.#active.delete(handle);
      uncounted.clearTimeout(handle);
    };
    Object.assign(globalThis, {
      setTimeout: (callback: Callback, delay?: number, ...args: unknown[]) =>
        set("setTimeout", callback, delay, args),
      setInterval: (callback: Callback, delay?: number, ...args: unknown[]) =>
        set("setInterval", callback, delay, args),
      clearTimeout: clear,
      clearInterval: clear,
    });
  }

  /** Each that waits: its kind, its delay and who set it. */
  pending(): readonly string[] {
    return [...this.#active.values()];
  }

  /** Puts the runtime's own back. */
  stop(): void {
    Object.assign(globalThis, uncounted);
  }
}
