/**
 * How long the client waits, and how much it keeps. Times are in milliseconds. They are in a module
 * without imports, since the bundler writes only the numbers of such a module where they are used.
 */

/** How long a connection may take until its first pong, `token()` included. */
export const CONNECT_WITHIN = 15_000;
/** A connection is asked for a sign of life after so long without one. */
export const PING_AFTER = 25_000;
/** How long the answer may take. A `token()` that failed is asked again after the same time. */
export const PONG_WITHIN = 5_000;
/** A timer of `PONG_WITHIN` that takes longer says that this process slept. */
export const LATE = 6_000;
/** The first wait between two attempts; each is at most twice as long as the one before. */
export const FIRST_DELAY = 1_000;
/** The longest wait between two attempts. */
export const LONGEST_DELAY = 30_000;
/** Within this time the clients of a server that shuts down come back. */
export const DRAIN_DELAY = 3_000;
/** No server may ask for a longer wait. */
export const LONGEST_TOLD = 60_000;
/** A connection that was open for so long was a good one. */
export const GOOD_AFTER = 3_000;
/** A token is renewed this long before it expires, or at half of its time if that is later. */
export const RENEW_EARLY = 30_000;
/** A join that failed is tried again within this time. */
export const JOIN_AGAIN_WITHIN = 5_000;
/** How long a request or a join may take by default. */
export const TIMEOUT = 10_000;
/** How many requests and messages wait for a connection. */
export const MAX_WAITING = 1_000;
/** How large they may be, all together, in bytes. */
export const MAX_WAITING_SIZE = 1_000_000;
/** How many events of a room wait for a first handler, and how many messages for a loop. */
export const MAX_HELD = 10_000;
/** The close code of a connection that the client gives up: with 1000 its places in rooms would end at once. */
export const GIVEN_UP = 4000;
