/** Medians of a few rounds, and their spread. */

/** The middle of several numbers, and their extremes. */
export interface Summary {
  /** The median. */
  readonly median: number;
  /** The smallest. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
}

/**
 * The median, minimum and maximum of numbers.
 *
 * @throws RangeError when there are no numbers.
 */
export function summarize(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError("no values to summarize");
  const sorted = values.toSorted((a, b) => a - b);
  const half = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(half)] + sorted[Math.ceil(half)]) / 2,
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}
