/** The delays between tries. */

/** How the delays between tries grow. */
export interface RetryDelays {
  /** The delay before the second try, in milliseconds. */
  readonly delay: number;
  /** The longest delay, in milliseconds. */
  readonly maxDelay: number;
  /** How the delay grows with each try. */
  readonly backoff: "constant" | "linear" | "exponential";
}

/** How far a delay is random. */
const JITTER = 0.2;

/**
 * The delay after try number `attempt`, in milliseconds. The first try is 1. `random`, from 0 to
 * below 1, changes it by at most 20 %, so that what failed together is not tried again together.
 */
export function retryDelay(
  attempt: number,
  { delay, maxDelay, backoff }: RetryDelays,
  random = 0.5,
): number {
  const factor = { constant: 1, linear: attempt, exponential: 2 ** (attempt - 1) }[backoff];
  return Math.min(delay * factor, maxDelay) * (1 + JITTER * (2 * random - 1));
}
