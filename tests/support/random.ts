/** Repeatable pseudo-random choices, so that a failure can be had again by its seed. */

/** A source of choices. */
export interface Random {
  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number;
  /** One of `items`. */
  pick<T>(items: readonly T[]): T;
  /** True with a probability from 0 to 1. */
  chance(probability: number): boolean;
}

/** Always the same choices for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    pick: (items) => items[below(items.length)],
    chance: (probability) => next() < probability,
  };
}
