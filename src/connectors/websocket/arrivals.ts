/** Counts the frames of clients by their type, for metrics. */

/** The count of frames without a valid form. */
const INVALID = "invalid";
/** The count of types that nothing serves: a client may invent any number of them. */
const OTHER = "other";

/** The frames that have arrived since the start. */
export class Arrivals {
  readonly #isServed: (type: string) => boolean;
  readonly #counts = new Map<string, { count: number }>();

  /** `isServed` says whether the protocol, a feature of rooms or a flow serves a type. */
  constructor(isServed: (type: string) => boolean) {
    this.#isServed = isServed;
  }

  /** Counts a frame; undefined for one without a valid form. */
  add(type: string | undefined): void {
    const known = this.#counts.get(type ?? INVALID);
    if (known !== undefined) known.count++;
    else this.#cell(type ?? INVALID).count++;
  }

  /** How many frames there were of each type. */
  all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].map(([type, { count }]) => [type, count]));
  }

  #cell(type: string): { count: number } {
    const name = type === INVALID || this.#isServed(type) ? type : OTHER;
    let cell = this.#counts.get(name);
    if (cell === undefined) this.#counts.set(name, cell = { count: 0 });
    return cell;
  }
}
