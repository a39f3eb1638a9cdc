/** The limits of one connection: how fast it may send, and how many errors it may cause. */
import {
  RateLimit,
  rateLimitField as accessRateLimitField,
  type RateLimitOptions,
} from "../../access/rate-limit.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { isLongerThan } from "../../base/text.ts";
import type { Field } from "../../contract/fields.ts";
import { OVER_RATE, TOO_MANY_ERRORS } from "./closing.ts";
import type { ClientFrame, Refusal } from "./protocol.ts";

/** A client that gets more error answers than this within the window (milliseconds) is closed. */
const MAX_ERRORS = 100;
const ERROR_WINDOW = 10_000;

/** So is one that sends more frames and pings than this over its rate within the window. */
const MAX_EXCESS = 100;
const EXCESS_WINDOW = 10_000;

/** The size and the rate of `{"type":"ping"}`. The size is enough for any `id` without escapes. */
const MAX_PING_BYTES = 256;
const PING_RATE = { messages: 20, per: 1_000, burst: undefined };

/** The `rate_limit` block of the connector. */
export const rateLimitField: Field<RateLimitOptions | undefined> = accessRateLimitField({
  about:
    "The rate limit of each connection. A frame over the limit gets the error rate_limited. No " +
    "limit by default.",
  messages:
    "How many frames the bucket gains in each `per`; up to `burst` + `messages` are served " +
    "in one `per`. `ping` frames do not count: they have a limit of 20 a second.",
});

/** The limits of one connection. */
export class Limits {
  readonly #errors: RateWindow;
  readonly #rate: RateLimit | undefined;
  readonly #clock: Clock;
  #excess: RateWindow | undefined;

  /** Without `rate` the client may send as fast as it can. */
  constructor(rate: RateLimitOptions | undefined, clock: Clock) {
    this.#errors = new RateWindow(MAX_ERRORS, ERROR_WINDOW, clock);
    this.#rate = rate && new RateLimit(rate, clock);
    this.#clock = clock;
  }

  /** Counts a frame. Returns it, or the refusal to send in its turn where it is over the rate. */
  admit(frame: ClientFrame | Refusal): ClientFrame | Refusal {
    if (this.#rate === undefined) return frame;
    const retryAfter = this.#rate.take();
    if (retryAfter === 0) return frame;
    const message = `too many messages; the next one is served in ${retryAfter} ms`;
    return { code: "rate_limited", message, id: frame.id, retryAfter };
  }

  /**
   * Counts an error that is sent to the client. Returns the reason to close the connection, or
   * undefined where it may stay. Errors that an outage causes do not count.
   */
  countError({ code, outage }: Refusal): string | undefined {
    if (code === "rate_limited" && this.#exceeds()) return OVER_RATE;
    if (outage) return undefined;
    return this.#errors.hit() ? TOO_MANY_ERRORS : undefined;
  }

  #exceeds(): boolean {
    this.#excess ??= new RateWindow(MAX_EXCESS, EXCESS_WINDOW, this.#clock);
    return this.#excess.hit();
  }
}

/**
 * The limits of `{"type":"ping"}`, which browsers send because they cannot send ping frames. Such
 * pings are answered at once, and `rate_limit` does not count them.
 */
export class PingLimit {
  readonly #rate: RateLimit;

  /** Allows a burst of a whole second's pings. */
  constructor(clock: Clock) {
    this.#rate = new RateLimit(PING_RATE, clock);
  }

  /** Why a ping that arrived as `text` gets no pong; undefined where it gets one. */
  refusal({ id }: ClientFrame, text: string): Refusal | undefined {
    if (isLongerThan(text, MAX_PING_BYTES)) {
      return { code: "invalid_message", message: `a ping has at most ${MAX_PING_BYTES} bytes`, id };
    }
    const retryAfter = this.#rate.take();
    if (retryAfter === 0) return undefined;
    const message = `too many pings; the next one is answered in ${retryAfter} ms`;
    return { code: "rate_limited", message, id, retryAfter };
  }
}

/** Counts events within a sliding window of time. */
export class RateWindow {
  readonly #max: number;
  readonly #window: number;
  readonly #clock: Clock;
  #times: number[] = [];

  /** More than `max` events within `window` milliseconds are too many. */
  constructor(max: number, window: number, clock: Clock = systemClock) {
    this.#max = max;
    this.#window = window;
    this.#clock = clock;
  }

  /** Counts one event. Returns true where there are too many now. */
  hit(): boolean {
    const now = this.#clock.elapsed();
    this.#times.push(now);
    if (this.#times.length <= this.#max) return false;
    this.#times = this.#times.filter((time) => time > now - this.#window);
    return this.#times.length > this.#max;
  }
}
