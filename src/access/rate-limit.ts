/** The `rate_limit` block, and the rate of one client. */
import type { Clock } from "../base/clock.ts";
import { attribute, block, type Field, type Fields, type Values } from "../contract/fields.ts";
import { duration, integer } from "../contract/value-schema.ts";

/** The fields of the block; `messages` describes what is counted. */
function rateLimitFields(messages: string) {
  return {
    messages: attribute(integer({ min: 1 }), { about: messages, required: true }),
    per: attribute(duration(), {
      about: "The time in which the bucket gains `messages`.",
      default: "1s",
    }),
    burst: attribute(integer({ min: 1 }), {
      about: "The size of the bucket, which is full after a pause. `messages` by default.",
    }),
  } satisfies Fields;
}

/** The options of `rate_limit`. Times are in milliseconds. */
export type RateLimitOptions = Values<ReturnType<typeof rateLimitFields>>;

/** The `rate_limit` block of a connector: `about` describes it, `messages` what it counts. */
export function rateLimitField(about: {
  readonly about: string;
  readonly messages: string;
}): Field<RateLimitOptions | undefined> {
  return block(rateLimitFields(about.messages), about);
}

/** A token bucket, which is full at first. */
export class RateLimit {
  readonly #clock: Clock;
  readonly #burst: number;
  /** Tokens a millisecond. */
  readonly #speed: number;
  #tokens: number;
  #countedAt: number;

  /** Adds a token every `per` / `messages` milliseconds, and keeps at most `burst`. */
  constructor({ messages, per, burst = messages }: RateLimitOptions, clock: Clock) {
    this.#clock = clock;
    this.#burst = burst;
    this.#speed = messages / per;
    this.#tokens = burst;
    this.#countedAt = clock.elapsed();
  }

  /** Takes a token and returns 0; without one, returns the whole milliseconds until there is one. */
  take(): number {
    const now = this.#clock.elapsed();
    const grown = this.#tokens + (now - this.#countedAt) * this.#speed;
    this.#tokens = Math.min(this.#burst, grown);
    this.#countedAt = now;
    // Rounding errors of fractions must not cost a client its frame.
    const missing = 1 - this.#tokens;
    if (missing > 1e-9) return Math.ceil(missing / this.#speed);
    this.#tokens -= 1;
    return 0;
  }
}
