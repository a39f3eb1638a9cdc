/** Finds out that a worker does not answer any more. No I/O. */
import type { Clock } from "../base/clock.ts";

/** Milliseconds between two questions. */
const INTERVAL = 1_000;
/** A worker that has not answered for this many intervals hangs. */
const MOST_UNANSWERED = 10;

/**
 * Asks a worker every second, but only one question at a time. Calls `hangs` once where an answer
 * takes ten seconds. The seconds are counted, not measured: where the supervisor itself was held up,
 * answers wait to be read, and no worker is to blame. Returns a function that ends the questions.
 */
export function watch(
  clock: Clock,
  ask: () => Promise<unknown>,
  hangs: () => void,
): () => void {
  let cancel: () => void;
  let asking = false;
  let unanswered = 0;
  const answered = (): void => {
    asking = false;
  };
  const beat = (): void => {
    if (asking && ++unanswered >= MOST_UNANSWERED) return hangs();
    cancel = clock.after(INTERVAL, beat);
    if (asking) return;
    asking = true;
    unanswered = 0;
    // Rejected where the process has ended, and `exit` tells of that.
    ask().then(answered, answered);
  };
  cancel = clock.after(INTERVAL, beat);
  return () => cancel();
}
