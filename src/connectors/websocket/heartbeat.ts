/** Pings one connection and notices when it does not answer. */

import { endOfTick } from "../../base/clock.ts";
import { Timer, TimerWheel } from "./timer-wheel.ts";

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
 *
 * It waits for one thing at a time: for the verdict on a ping, then for the next ping.
 */
export class Heartbeat extends Timer {
  readonly #options: HeartbeatOptions;
  readonly #wheel: TimerWheel;
  #nextPing: number;
  /** How many pings a pong was expected for. */
  #expected = 0;
  /** The last of them has got none yet. */
  #unanswered = false;
  /** It waits for the verdict on that one, not for the next ping. */
  #judging = false;
  #paused = false;
  #stopped = false;

  /** Starts at once. Heartbeats of one interval may share a wheel. */
  constructor(options: HeartbeatOptions, wheel: TimerWheel = new TimerWheel(options.interval)) {
    super();
    this.#options = options;
    this.#wheel = wheel;
    this.#nextPing = performance.now() + options.interval * (0.5 + Math.random() / 2);
    wheel.setBefore(this, this.#nextPing);
  }

  /** A pong came. Without a ping before it, it says nothing. */
  pong(): void {
    this.#unanswered = false;
  }

  /** The server itself stopped reading, so no pong can be expected; pings go on. */
  pause(): void {
    this.#paused = true;
    this.#unanswered = false;
  }

  /** The server reads again: a fresh ping, and the deadline anew. */
  resume(): void {
    this.#paused = false;
    this.#unanswered = false;
    this.#nextPing = performance.now();
    this.#ping();
  }

  /** Ends it. */
  stop(): void {
    this.#stopped = true;
    this.#wheel.clear(this);
  }

  override due(): void {
    if (!this.#judging) return this.#ping();
    this.#judging = false;
    if (this.#unanswered) this.#judge();
    else this.#wheel.setBefore(this, this.#nextPing);
  }

  #ping(): void {
    const now = performance.now();
    const { interval, timeout } = this.#options;
    this.#nextPing = Math.max(this.#nextPing + interval, now);
    this.#judging = !this.#paused;
    if (this.#paused) {
      this.#wheel.setBefore(this, this.#nextPing);
    } else {
      this.#expected++;
      this.#unanswered = true;
      this.#wheel.setAfter(this, now + timeout);
    }
    // Last: a ping that fails may stop all of this.
    this.#options.ping();
  }

  #judge(): void {
    const ping = this.#expected;
    // A loop that was blocked has pongs waiting: they are read before an immediate runs.
    endOfTick(() => {
      if (this.#stopped || this.#expected !== ping) return;
      if (!this.#unanswered) return this.#wheel.setBefore(this, this.#nextPing);
      this.stop();
      this.#options.dead();
    });
  }
}
