/**
 * The frames `{"type":"ping"}` of one connection, which browsers send since they have no other pings.
 * They are answered at once, and `rate_limit` does not count them.
 */
import type { Clock } from "../../base/clock.ts";
import type { ClientFrame, Refusal } from "./protocol.ts";
import { isLongerThan } from "../../base/text.ts";
import { RateLimit } from "./rate-limit.ts";

/** Enough for any `id` that is written plainly. */
const MAX_BYTES = 256;
const RATE = { messages: 20, per: 1_000, burst: undefined };

/** Their limits: a size, and 20 a second. Made with the first of them. */
export class Pings {
  readonly #rate: RateLimit;

  /** At first a whole second's pings are answered. */
  constructor(clock: Clock) {
    this.#rate = new RateLimit(RATE, clock);
  }

  /** Why one that came as `text` gets no pong; undefined where it gets one. */
  refusal({ id }: ClientFrame, text: string): Refusal | undefined {
    if (isLongerThan(text, MAX_BYTES)) {
      return { code: "invalid_message", message: `a ping has at most ${MAX_BYTES} bytes`, id };
    }
    const retryAfter = this.#rate.take();
    if (retryAfter === 0) return undefined;
    const message = `too many pings; the next one is answered in ${retryAfter} ms`;
    return { code: "rate_limited", message, id, retryAfter };
  }
}
