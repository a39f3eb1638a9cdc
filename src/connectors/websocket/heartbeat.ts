/** Pings one connection and notices when it does not answer. */

import { endOfTick } from "../../tick.ts";

/** What a heartbeat acts on. Times are in milliseconds. */
export interface HeartbeatOptions {
  /** From ping to ping. */
  readonly interval: number;
  /** From a ping to the verdict; at most `interval`. */
  readonly timeout: number;
  /** Sends a ping. */
  ping(): void;
  /** No pong came in time. Called once; the heartbeat has stopped. */
  dead(): void;
}

/**
 * A ping every interval, whatever else is sent. The first one comes at a random point in the second
 * half of the first interval, so that clients that reconnect together are not pinged together.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #deadlineTimer: ReturnType<typeof setTimeout> | undefined;
  #nextPing: number;
  /** Stands for the ping whose pong has not come. */
  #unanswered: symbol | undefined;
  #paused = false;

  /** Starts at once. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#nextPing = performance.now() + options.interval * (0.5 + Math.random() / 2);
    this.#schedulePing();
  }

  /** A pong came. Without a ping before it, it says nothing. */
  pong(): void {
    this.#unanswered = undefined;
    clearTimeout(this.#deadlineTimer);
  }

  /** The server itself stopped reading, so no pong can be expected; pings go on. */
  pause(): void {
    this.#paused = true;
    this.#unanswered = undefined;
    clearTimeout(this.#deadlineTimer);
  }

  /** The server reads again: a fresh ping, and the deadline anew. */
  resume(): void {
    this.#paused = false;
    clearTimeout(this.#pingTimer);
    this.#nextPing = performance.now();
    this.#ping();
  }

  /** Ends it. */
  stop(): void {
    this.#unanswered = undefined;
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#deadlineTimer);
  }

  readonly #ping = (): void => {
    const { interval, ping } = this.#options;
    this.#nextPing = Math.max(this.#nextPing + interval, performance.now());
    this.#schedulePing();
    // A verdict that is still due goes first: a new ping must not excuse the missing pong.
    if (this.#unanswered !== undefined) return;
    if (!this.#paused) this.#expectPong();
    // Last: a ping that fails may stop all of this.
    ping();
  };

  #schedulePing(): void {
    this.#pingTimer = setTimeout(this.#ping, Math.max(0, this.#nextPing - performance.now()));
  }

  #expectPong(): void {
    const { timeout, dead } = this.#options;
    const ping = Symbol();
    this.#unanswered = ping;
    this.#deadlineTimer = setTimeout(() => {
      // A loop that was blocked has pongs waiting: they are read before an immediate runs.
      endOfTick(() => {
        if (this.#unanswered !== ping) return;
        this.stop();
        dead();
      });
    }, timeout);
  }
}
