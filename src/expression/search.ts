/**
 * Finds a text in another in linear time. The runtimes' own search is quick for short texts, and
 * takes the product of both lengths for hostile ones: seconds for 500 KB in 10 KB of "aaaa…".
 */

import type { Meter } from "./meter.ts";

/** Up to this length the runtime's search is used: its worst is 2 steps a character. */
const SHORT = 32;

/** The first place at or behind `from` where `text` holds `part`, or -1. */
export function indexOf(meter: Meter, text: string, part: string, from: number): number {
  if (part.length > SHORT && text.length - from >= part.length) {
    return new Finder(meter, part).next(text, from);
  }
  const found = text.indexOf(part, from);
  meter.spend((found < 0 ? Math.max(0, text.length - from) : found - from) + 1);
  return found;
}

/** The last place at or before `from` where `text` holds `part`, or -1. */
export function lastIndexOf(meter: Meter, text: string, part: string, from: number): number {
  const start = Math.min(from, text.length - part.length);
  meter.spend(Math.max(0, start) + part.length + 1);
  if (part.length <= SHORT) return text.lastIndexOf(part, from);
  if (start < 0) return -1;
  const steps = failureSteps(part.length, (i) => part.charCodeAt(part.length - 1 - i));
  let matched = 0;
  for (let i = start + part.length - 1; i >= 0; i--) {
    const code = text.charCodeAt(i);
    while (matched > 0 && part.charCodeAt(part.length - 1 - matched) !== code) {
      matched = steps[matched - 1];
    }
    if (part.charCodeAt(part.length - 1 - matched) === code) matched++;
    if (matched === part.length) return i;
  }
  return -1;
}

/** Finds one text again and again. Knuth, Morris and Pratt's algorithm. */
export class Finder {
  readonly #meter: Meter;
  readonly #part: string;
  readonly #steps: Int32Array | undefined;

  /** `part` is what is looked for, and is not empty. */
  constructor(meter: Meter, part: string) {
    this.#meter = meter;
    this.#part = part;
    if (part.length > SHORT) {
      meter.spend(part.length);
      this.#steps = failureSteps(part.length, (i) => part.charCodeAt(i));
    }
  }

  /** As `indexOf`. */
  next(text: string, from: number): number {
    const steps = this.#steps;
    if (steps === undefined) return indexOf(this.#meter, text, this.#part, from);
    const part = this.#part;
    let matched = 0;
    let at = from;
    for (; at < text.length && matched < part.length; at++) {
      const code = text.charCodeAt(at);
      while (matched > 0 && part.charCodeAt(matched) !== code) matched = steps[matched - 1];
      if (part.charCodeAt(matched) === code) matched++;
    }
    this.#meter.spend(at - from);
    return matched === part.length ? at - part.length : -1;
  }
}

/** For each length that matched, the next shorter one that may still match. */
function failureSteps(length: number, unit: (index: number) => number): Int32Array {
  const steps = new Int32Array(length);
  let matched = 0;
  for (let i = 1; i < length; i++) {
    const code = unit(i);
    while (matched > 0 && unit(matched) !== code) matched = steps[matched - 1];
    if (unit(matched) === code) matched++;
    steps[i] = matched;
  }
  return steps;
}
