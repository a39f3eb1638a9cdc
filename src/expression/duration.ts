/** Lengths of time, exact to the nanosecond. */

const SECOND = 1_000_000_000n;

/** What a unit of a written duration is in nanoseconds. */
const UNITS: Readonly<Record<string, bigint>> = {
  d: 86_400n * SECOND,
  h: 3_600n * SECOND,
  m: 60n * SECOND,
  s: SECOND,
  ms: 1_000_000n,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};

const AMOUNT = /(\d+)(?:\.(\d+))?(ms|us|µs|ns|[dhms])/g;
const WRITTEN = /^[-+]?(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[dhms]))+$/;

/** About 10,000 years, as CEL has it. */
const LONGEST = 315_576_000_000n * SECOND;

/** Longer texts are no durations; reading one would take long. */
const LONGEST_TEXT = 100;

/** A length of time, which may be negative. */
export class Duration {
  /** The whole length. */
  readonly nanoseconds: bigint;

  private constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }

  /** The duration of so many nanoseconds; undefined beyond 10,000 years. */
  static of(nanoseconds: bigint): Duration | undefined {
    const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
    return size > LONGEST ? undefined : new Duration(nanoseconds);
  }

  /** Reads `1h30m`, `-1.5s`, `2d` and the like; undefined for every other text. */
  static parse(text: string): Duration | undefined {
    if (text === "0") return new Duration(0n);
    if (text.length > LONGEST_TEXT || !WRITTEN.test(text)) return undefined;
    let total = 0n;
    for (const [, whole, fraction = "", unit] of text.matchAll(AMOUNT)) {
      total += BigInt(whole + fraction) * UNITS[unit] / 10n ** BigInt(fraction.length);
    }
    return Duration.of(text.startsWith("-") ? -total : total);
  }

  /** The whole units in it, such as hours for "h", cut towards zero. */
  in(unit: "h" | "m" | "s" | "ms"): bigint {
    return this.nanoseconds / UNITS[unit];
  }

  /** Seconds, as CEL writes durations: `5400s`, `-1.5s`. */
  toString(): string {
    const size = this.nanoseconds < 0n ? -this.nanoseconds : this.nanoseconds;
    const fraction = String(size % SECOND).padStart(9, "0").replace(/0+$/, "");
    const sign = this.nanoseconds < 0n ? "-" : "";
    return `${sign}${size / SECOND}${fraction === "" ? "" : `.${fraction}`}s`;
  }
}
