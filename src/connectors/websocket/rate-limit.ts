/** `rate_limit`: how many frames one connection may send. */
import type { Clock } from "../../base/clock.ts";
import { attribute, block, type Values } from "../../contract/fields.ts";
import { duration, integer } from "../../contract/value-schema.ts";

const fields = {
  messages: attribute(integer({ min: 1 }), {
    about: "At most this many frames are served in each `per`. `ping` frames do not count: 20 a " +
      "second are answered.",
    required: true,
  }),
  per: attribute(duration(), { about: "The time that `messages` are for.", default: "1s" }),
  burst: attribute(integer({ min: 1 }), {
    about: "So many may come at once after a silence. As many as `messages` by default.",
  }),
};

/** The block of the connector. */
export const rateLimitField = block(fields, {
  about: "The rate of each connection. A frame over it gets the error rate_limited; no limit by " +
    "default.",
});

/** What the block says. Times are in milliseconds. */
export type RateLimitOptions = Values<typeof fields>;

/** The rate of one connection: a token bucket, which is full at first. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  /** Tokens that come in a millisecond. */
  readonly #speed: number;
  #tokens: number;
  #countedAt: number;

  /** A token comes every `per` / `messages` milliseconds, and at most `burst` are kept. */
  constructor({ messages, per, burst = messages }: RateLimitOptions, clock: Clock) {
    this.#clock = clock;
    this.#burst = burst;
    this.#speed = messages / per;
    this.#tokens = burst;
    this.#countedAt = clock.elapsed();
  }

  /** Takes a token; where there is none, gives the whole milliseconds until there is one. */
  take(): number {
    const now = this.#clock.elapsed();
    const grown = this.#tokens + (now - this.#countedAt) * this.#speed;
    this.#tokens = Math.min(this.#burst, grown);
    this.#countedAt = now;
    // What is lost in the arithmetic of fractions must not cost a client its frame.
    const missing = 1 - this.#tokens;
    if (missing > 1e-9) return Math.ceil(missing / this.#speed);
    this.#tokens -= 1;
    return 0;
  }
}
