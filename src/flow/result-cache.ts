/** Keeps results for a while, so that many who ask for the same are one who asks. */
import type { Clock } from "../clock.ts";
import { isPromiseLike } from "./work.ts";

/** So many results are kept, the oldest go first. */
const MOST = 10_000;

/** One result, or the promise of one that is on its way. */
interface Entry {
  readonly value: unknown;
  /** On the clock's `elapsed`. */
  readonly until: number;
}

/** Results by what was asked. A failure is not kept. */
export class ResultCache {
  readonly #entries = new Map<string, Entry>();
  readonly #ttl: number;
  readonly #clock: Clock;
  readonly #most: number;

  /** `ttl` is in milliseconds, from the moment on at which the result is there. */
  constructor(ttl: number, clock: Clock, most: number = MOST) {
    this.#ttl = ttl;
    this.#clock = clock;
    this.#most = most;
  }

  /** How many results are kept, those included that have run out and not been asked for. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is known, or what `ask` gives; those who come meanwhile share its promise. */
  get(key: string, ask: () => unknown): unknown {
    const known = this.#entries.get(key);
    if (known !== undefined && known.until > this.#clock.elapsed()) return known.value;
    const value = ask();
    if (!isPromiseLike(value)) {
      this.#keep(key, value, this.#clock.elapsed() + this.#ttl);
      return value;
    }
    const pending = this.#keep(key, value, Infinity);
    value.then(
      (result) => {
        if (this.#entries.get(key) === pending) {
          this.#keep(key, result, this.#clock.elapsed() + this.#ttl);
        }
      },
      () => {
        if (this.#entries.get(key) === pending) this.#entries.delete(key);
      },
    );
    return value;
  }

  #keep(key: string, value: unknown, until: number): Entry {
    const entry = { value, until };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#most) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }
}
