/** How many writes share a commit, for metrics. */
import { Histogram } from "../../base/histogram.ts";

/** A commit has 1000 writes at most. */
const BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** Counts commits by their number of writes. */
export function commitSizes(): Histogram {
  return new Histogram(BOUNDS);
}
