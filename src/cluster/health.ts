/** Finds members that no longer respond. No I/O. */
import type { Clock } from "../base/clock.ts";

/** Milliseconds between two pings. */
const INTERVAL = 1_000;
/** A member that has not responded for this many intervals is unresponsive. */
const MAX_MISSED = 10;

/**
 * Pings a member every second, one ping at a time. Calls `onUnresponsive` once when a response takes
 * ten seconds. The intervals are counted, not measured: while the process of this timer is blocked,
 * responses wait to be read, and the member is not to blame. Returns a function that stops the checks.
 */
export function startHealthChecks(
  clock: Clock,
  ping: () => Promise<unknown>,
  onUnresponsive: () => void,
): () => void {
  let cancel: () => void;
  let pending = false;
  let missed = 0;
  const responded = (): void => {
    pending = false;
  };
  const check = (): void => {
    if (pending && ++missed >= MAX_MISSED) return onUnresponsive();
    cancel = clock.after(INTERVAL, check);
    if (pending) return;
    pending = true;
    missed = 0;
    // A rejection means that the member has ended, which is reported elsewhere.
    ping().then(responded, responded);
  };
  cancel = clock.after(INTERVAL, check);
  return () => cancel();
}
