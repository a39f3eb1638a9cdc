/** Notices that a client takes nothing of what is sent to it. */
import { endOfTick } from "../base/clock.ts";

/** What is sent to one client, as far as the process sees it. */
export interface Progress {
  /** The bytes that wait. */
  readonly waiting: number;
  /** The bytes that were taken since the beginning. */
  readonly taken: number;
  /** Milliseconds by which the client may take longer; 0 by default. */
  readonly slack?: number;
}

/** It is checked this often in the time that it may last. */
const CHECKS = 4;

/** Watches one client while something waits for it. */
export class Stall {
  readonly #timeout: number;
  readonly #progress: () => Progress;
  readonly #stalled: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #taken = 0;
  #since = 0;

  /** Calls `stalled` once something has waited for `timeout` milliseconds and nothing was taken. */
  constructor(timeout: number, progress: () => Progress, stalled: () => void) {
    this.#timeout = timeout;
    this.#progress = progress;
    this.#stalled = stalled;
  }

  /** Something waits. Costs nothing while it watches already. */
  watch(): void {
    if (this.#timer !== undefined) return;
    this.#taken = this.#progress().taken;
    this.#since = performance.now();
    this.#schedule();
  }

  /** Watches no longer. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = setTimeout(this.#check, this.#timeout / CHECKS);
  }

  readonly #check = (): void => {
    if (this.#moves()) return;
    const { slack = 0 } = this.#progress();
    if (performance.now() - this.#since < this.#timeout + slack) return this.#schedule();
    // After a blocked event loop, sockets report what they have sent before an immediate runs.
    endOfTick(() => {
      if (this.#timer !== undefined && !this.#moves()) this.#stalled();
    });
  };

  /** Whether nothing waits, or something was taken since the last look. */
  #moves(): boolean {
    const { waiting, taken } = this.#progress();
    if (waiting === 0) this.#timer = undefined;
    else if (taken === this.#taken) return false;
    else {
      this.#taken = taken;
      this.#since = performance.now();
      this.#schedule();
    }
    return true;
  }
}
