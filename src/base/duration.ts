/** Durations as they are written, such as `1h30m` or `1.5s`. */

/** Nanoseconds in each unit. */
export const UNITS = {
  d: 86_400_000_000_000n,
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
} as const;

/** A unit of time. */
export type Unit = keyof typeof UNITS;

/** One amount of a duration, such as `1.5s`. */
export interface Amount {
  /** The digits before the point. */
  readonly whole: string;
  /** The digits after the point; empty if there is none. */
  readonly fraction: string;
  readonly unit: Unit;
}

const AMOUNT = /(\d+)(?:\.(\d+))?(ms|us|µs|ns|[dhms])/g;
const WRITTEN = /^(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[dhms]))+$/;

/** The amounts of a duration, one or more; undefined for any other text. */
export function amountsOf(text: string): readonly Amount[] | undefined {
  if (!WRITTEN.test(text)) return undefined;
  return [...text.matchAll(AMOUNT)].map(([, whole, fraction = "", unit]) => {
    return { whole, fraction, unit: unit as Unit };
  });
}
