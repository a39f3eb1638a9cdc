/** The rates of many clients of one connector. */
import type { Clock } from "../base/clock.ts";
import { RateLimit, type RateLimitOptions } from "./rate-limit.ts";

/**
 * The most clients whose rates are known. With more of them, the one that has been silent for the
 * longest time is forgotten, and may send a whole burst again.
 */
const MAX_CLIENTS = 20_000;

/** Counts what each client sends, by a name such as its address. */
export class Rates {
  readonly #options: RateLimitOptions;
  readonly #clock: Clock;
  /** The one that has been silent for the longest time comes first. */
  readonly #limits = new Map<string, RateLimit>();

  /** All clients have the same limit. */
  constructor(options: RateLimitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** Counts one message; returns 0 if it is within the limit, else the milliseconds to wait. */
  take(client: string): number {
    const known = this.#limits.get(client);
    if (known !== undefined) this.#limits.delete(client);
    else if (this.#limits.size >= MAX_CLIENTS) this.#forgetOne();
    const limit = known ?? new RateLimit(this.#options, this.#clock);
    this.#limits.set(client, limit);
    return limit.take();
  }

  #forgetOne(): void {
    for (const oldest of this.#limits.keys()) {
      this.#limits.delete(oldest);
      return;
    }
  }
}
