/** Pings one connection and notices when it does not answer. */

import { endOfTick } from "../../base/clock.ts";
import { Timer, TimerWheel } from "./timer-wheel.ts";

/** The times of a heartbeat, in milliseconds, and what it calls. */
export interface HeartbeatOptions {
  /** From ping to ping. */
  readonly interval: number;
  /** From a ping to the deadline of its pong; at most `interval`. */
  readonly timeout: number;
  /** Sends a ping. */
  ping(): void;
  /** No pong came in time. Called once; the heartbeat has stopped. */
  dead(): void;
}

/**
 * Pings every interval, whatever else is sent. The first ping comes at a random point in the second
 * half of the first interval, so that clients that reconnect together are not pinged together.
 *
 * It waits for one thing at a time: for the deadline of a ping, then for the next ping.
 */
export class Heartbeat extends Timer {
  readonly #options: HeartbeatOptions;
  readonly #wheel: TimerWheel;
  #nextPing: number;
  /** How many pings had a deadline. */
  #expected = 0;
  /** The last of them has no pong yet. */
  #unanswered = false;
  /** It waits for the deadline of that ping, not for the next ping. */
  #awaitsDeadline = false;
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

  /** A pong has arrived. It only counts after a ping. */
  pong(): void {
    this.#unanswered = false;
  }

  /** The server has stopped reading, so no pong can arrive; pings go on. */
  pause(): void {
    this.#paused = true;
    this.#unanswered = false;
  }

  /** The server reads again: sends a ping and sets a new deadline. */
  resume(): void {
    this.#paused = false;
    this.#unanswered = false;
    this.#nextPing = performance.now();
    this.#ping();
  }

  /** Stops the heartbeat. */
  stop(): void {
    this.#stopped = true;
    this.#wheel.clear(this);
  }

  override due(): void {
    if (!this.#awaitsDeadline) return this.#ping();
    this.#awaitsDeadline = false;
    if (this.#unanswered) this.#checkPong();
    else this.#wheel.setBefore(this, this.#nextPing);
  }

  #ping(): void {
    const now = performance.now();
    const { interval, timeout } = this.#options;
    this.#nextPing = Math.max(this.#nextPing + interval, now);
    this.#awaitsDeadline = !this.#paused;
    if (this.#paused) {
      this.#wheel.setBefore(this, this.#nextPing);
    } else {
      this.#expected++;
      this.#unanswered = true;
      this.#wheel.setAfter(this, now + timeout);
    }
    // Last, because a ping that fails may stop the heartbeat.
    this.#options.ping();
  }

  #checkPong(): void {
    const ping = this.#expected;
    // After a blocked event loop pongs are waiting: they are read before an immediate runs.
    endOfTick(() => {
      if (this.#stopped || this.#expected !== ping) return;
      if (!this.#unanswered) return this.#wheel.setBefore(this, this.#nextPing);
      this.stop();
      this.#options.dead();
    });
  }
}
