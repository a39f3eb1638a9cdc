/** Counts of numbered messages. */

/** What became of numbered messages. */
export type Tally = {
  /** How many are missing. */
  readonly lost: number;
  /** How many there are more than one of each. */
  readonly doubled: number;
  /** Whether they came in their order. */
  readonly ordered: boolean;
};

/** Compares the messages that came with those that were sent. */
export function tally(shown: readonly number[], expected: readonly number[]): Tally {
  const distinct = new Set(shown);
  return {
    lost: expected.filter((n) => !distinct.has(n)).length,
    doubled: shown.length - distinct.size,
    ordered: shown.every((n, index) => index === 0 || n >= shown[index - 1]),
  };
}
