/** What one connection may do: how fast it may send, and how many errors it may cause. */
import type { Clock } from "../../base/clock.ts";
import type { ClientFrame, Refusal } from "./protocol.ts";
import { OVER_RATE, TOO_MANY_ERRORS } from "./closing.ts";
import { RateLimit, type RateLimitOptions } from "./rate-limit.ts";
import { RateWindow } from "./rate.ts";

/** More error answers than this in this time, in milliseconds, and the client is sent away. */
const MAX_ERRORS = 100;
const ERROR_WINDOW = 10_000;

/** A client that sends more frames or pings than this beyond its rate in this time is, too. */
const MAX_EXCESS = 100;
const EXCESS_WINDOW = 10_000;

/** The limits of one connection. */
export class Limits {
  readonly #errors: RateWindow;
  readonly #rate: RateLimit | undefined;
  readonly #clock: Clock;
  #excess: RateWindow | undefined;

  /** Without `rate` there is no limit to how fast it sends. */
  constructor(rate: RateLimitOptions | undefined, clock: Clock) {
    this.#errors = new RateWindow(MAX_ERRORS, ERROR_WINDOW, clock);
    this.#rate = rate && new RateLimit(rate, clock);
    this.#clock = clock;
  }

  /** A frame that has come; one over the rate becomes its refusal, told when its turn comes. */
  admit(frame: ClientFrame | Refusal): ClientFrame | Refusal {
    if (this.#rate === undefined) return frame;
    const retryAfter = this.#rate.take();
    if (retryAfter === 0) return frame;
    const message = `too many messages; the next one is served in ${retryAfter} ms`;
    return { code: "rate_limited", message, id: frame.id, retryAfter };
  }

  /**
   * Counts an error that is sent to the client. Returns the reason to close its connection, undefined
   * where it may stay. What an outage causes does not count.
   */
  strike({ code, outage }: Refusal): string | undefined {
    if (code === "rate_limited" && this.#exceeds()) return OVER_RATE;
    if (outage) return undefined;
    return this.#errors.hit() ? TOO_MANY_ERRORS : undefined;
  }

  #exceeds(): boolean {
    this.#excess ??= new RateWindow(MAX_EXCESS, EXCESS_WINDOW, this.#clock);
    return this.#excess.hit();
  }
}
