/** What is kept of a message that failed for good: where it came from, and why. */

/** Headers of a dead letter: where it came from, and how often it was redelivered. */
export const ROUTING_KEY = "x-weir-routing-key";
export const EXCHANGE = "x-weir-exchange";
const RETRIES = "x-weir-retries";
/** Why it is one, which flows failed, and since when it is one (ISO 8601, UTC). */
const REASON = "x-weir-reason";
const FLOW = "x-weir-flow";
const TIME = "x-weir-time";

/** How long a header of ours is at most, in characters: all of them fit into 8 KB together. */
export const LONGEST_HEADER = 500;

/** Why and when a message was given up. */
export interface GivenUp {
  readonly reason: string;
  /** The names of the flows that failed; empty where none has run. */
  readonly flows: readonly string[];
  /** How often the message was redelivered. */
  readonly retries: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Those headers. `exchange` is that of a broker which has exchanges. */
export function deadLetterHeaders(
  { routingKey, exchange }: { readonly routingKey: string; readonly exchange?: string },
  { reason, flows, retries, time }: GivenUp,
): Readonly<Record<string, string | number>> {
  return {
    [ROUTING_KEY]: routingKey,
    ...(exchange !== undefined && { [EXCHANGE]: exchange }),
    [REASON]: reason.slice(0, LONGEST_HEADER),
    ...(flows.length > 0 && { [FLOW]: flows.join(", ").slice(0, LONGEST_HEADER) }),
    [RETRIES]: retries,
    [TIME]: new Date(time).toISOString(),
  };
}
