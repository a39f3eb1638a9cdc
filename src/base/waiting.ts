/** Work that is waited for, and what is said while it lasts. */

/** When to speak, in milliseconds. */
export interface WaitingTimes {
  /** Nothing is said before. */
  readonly after: number;
  /** The time from one time to the next. */
  readonly every: number;
}

/** Calls a function again and again while work is pending. */
export class Waiting<T> {
  readonly #pending = new Map<Promise<unknown>, T>();
  readonly #say: (pending: readonly T[]) => void;
  readonly #every: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `say` gets the names of what is pending, each once. It is called until `end`. */
  constructor({ after, every }: WaitingTimes, say: (pending: readonly T[]) => void) {
    this.#say = say;
    this.#every = every;
    this.#timer = setTimeout(this.#speak, after);
  }

  /** Counts work as pending until it settles, and returns it. */
  add<P extends Promise<unknown>>(name: T, work: P): P {
    this.#pending.set(work, name);
    const forget = (): void => void this.#pending.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** Says nothing more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  readonly #speak = (): void => {
    this.#timer = setTimeout(this.#speak, this.#every);
    this.#say([...new Set(this.#pending.values())]);
  };
}
