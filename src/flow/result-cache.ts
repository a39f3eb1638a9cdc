/** Keeps results for a while, so that many who ask for the same are one who asks. */
import type { Clock } from "../base/clock.ts";
import type { Dependencies } from "./dependencies.ts";
import { sizeOf } from "./size.ts";
import { isPromiseLike } from "./work.ts";

/** What is kept at most; the oldest results go first. */
export interface CacheLimits {
  readonly results: number;
  /** About how many bytes all of them take. A single result that is larger is not kept. */
  readonly bytes: number;
}

const LIMITS: CacheLimits = { results: 10_000, bytes: 16 * 1024 * 1024 };

/** One result, or the promise of one that is on its way. */
interface Entry {
  readonly value: unknown;
  /** On the clock's `elapsed`. */
  readonly until: number;
  readonly bytes: number;
}

/** The cache of one step. */
export interface StepCache {
  readonly results: ResultCache;
  /** What its results depend on. */
  readonly dependencies: Dependencies;
}

/** Results by what was asked. A failure is not kept. */
export class ResultCache {
  readonly #entries = new Map<string, Entry>();
  readonly #ttl: number;
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  #bytes = 0;

  /** `ttl` is in milliseconds, from the moment on at which the result is there. */
  constructor(ttl: number, clock: Clock, limits: CacheLimits = LIMITS) {
    this.#ttl = ttl;
    this.#clock = clock;
    this.#limits = limits;
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
      this.#keepResult(key, value);
      return value;
    }
    const pending = { value, until: Infinity, bytes: 0 };
    this.#keep(key, pending);
    value.then(
      (result) => {
        if (this.#entries.get(key) === pending) this.#keepResult(key, result);
      },
      () => {
        if (this.#entries.get(key) === pending) this.#delete(key);
      },
    );
    return value;
  }

  #keepResult(key: string, value: unknown): void {
    const bytes = sizeOf(value, this.#limits.bytes);
    if (bytes > this.#limits.bytes) this.#delete(key);
    else this.#keep(key, { value, until: this.#clock.elapsed() + this.#ttl, bytes });
  }

  #keep(key: string, entry: Entry): void {
    this.#delete(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    const { results, bytes } = this.#limits;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= results && this.#bytes <= bytes) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
