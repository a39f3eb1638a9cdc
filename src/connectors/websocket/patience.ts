/** How long a flush to many recipients waits for more frames, which then share its writes. */

/** The ticks that it waits. */
export interface Patience {
  /** It ends after this many ticks in a row without a new frame. */
  readonly quiet: number;
  /** It ends after this many ticks. */
  readonly max: number;
}

/** Waits for no more than the frames of one tick. */
export const ONE_TICK: Patience = { quiet: 1, max: 1 };

/**
 * One instance of several is never busy for as long as a burst takes to arrive: without this wait it
 * would send the first messages of a burst alone.
 */
export const BURST: Patience = { quiet: 4, max: 32 };
