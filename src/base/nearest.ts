/** Suggests the name that was probably meant. */
import { shown } from "./shown.ts";

/** A longer name is unlikely to be a typo and is slow to compare. */
const LONGEST = 200;
/** The largest number of names that are compared. */
const MOST = 1_000;

/**
 * The closest of `names`, or undefined if none is close: at most one edit for every three
 * characters, and at least one. A swap of adjacent characters is one edit.
 */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  if (name.length > LONGEST) return undefined;
  const lower = name.toLowerCase();
  let best: string | undefined;
  let least = Math.max(1, Math.floor(Math.max(3, name.length) / 3)) + 1;
  let looked = 0;
  for (const candidate of names) {
    if (++looked > MOST) break;
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = edits(lower, candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** The hint `did you mean "…"?`, or undefined if no name is close. */
export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const found = nearest(name, names);
  return found === undefined ? undefined : `did you mean "${shown(found)}"?`;
}

/** The edit distance with swaps (optimal string alignment). */
function edits(a: string, b: string): number {
  let older: number[] = [];
  let old: number[] = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(row[j - 1] + 1, old[j] + 1, old[j - 1] + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, older[j - 2] + 1);
      }
      row.push(least);
    }
    older = old;
    old = row;
  }
  return old[b.length];
}
