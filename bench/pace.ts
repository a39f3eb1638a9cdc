/** Rounds that take the same time for a fast server and for a slow one. */
import type { Work } from "./load/crowd.ts";
import type { Bench } from "./scenario.ts";

/** The approximate duration of a round and of the warm-up, in seconds. */
export interface Pace {
  readonly round: number;
  readonly warmUp: number;
}

/** The usual pace. */
export function paceOf(bench: Bench): Pace {
  return bench.quick ? { round: 0.15, warmUp: 0.3 } : { round: 0.4, warmUp: 0.8 };
}

/**
 * Makes rounds of work that is done a number of times. The first is the warm-up, in which it finds
 * how often a round does it: at least `least` times.
 */
export function paced(
  work: (times: number) => Promise<Work>,
  { round, warmUp }: Pace,
  least: number,
): () => Promise<Work> {
  let times: number | undefined;
  return async () => {
    if (times !== undefined) return await work(times);
    for (let spent = 0, next = least;;) {
      const found = await work(next);
      spent += found.seconds;
      const share = next / found.seconds;
      if (spent < warmUp) {
        // Not much more at once than before: a cold server is slow.
        next = Math.max(least, Math.ceil(Math.min(next * 4, share * round)));
        continue;
      }
      times = Math.max(least, Math.round(share * round));
      return found;
    }
  };
}
