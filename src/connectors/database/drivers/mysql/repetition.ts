/** How transactions are repeated that others have undone. */
import { delay } from "../../turns.ts";

/**
 * How often a transaction is repeated that others have undone. The server finds a deadlock at once, and
 * undoes the one that has changed less: that may be the same one each time while new ones begin.
 */
export const REPETITIONS = 20;
/** The longest delay before the first repetition, in milliseconds; before the nth it is n times that. */
const REPETITION_DELAY = 20;
/** The longest delay of all, in milliseconds. */
const LONGEST_DELAY = 100;

/** Waits before a repetition, counted from 1. */
export function pauseBefore(repetition: number): Promise<void> {
  return delay(Math.min(REPETITION_DELAY * repetition, LONGEST_DELAY));
}
