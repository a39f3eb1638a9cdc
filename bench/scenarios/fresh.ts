/** Rounds with a server of their own. */
import type { Contest } from "../scenario.ts";

/**
 * Starts a server for each round and warms it up. Processes of one program differ by more than a few
 * percent, by how their code was compiled and where it lies: small differences of two programs show
 * only in the medians of several processes.
 */
export function fresh(open: () => Promise<Contest>): Contest {
  return {
    async measure() {
      await using contest = await open();
      await contest.measure();
      return await contest.measure();
    },
    async [Symbol.asyncDispose]() {},
  };
}
