/**
 * Characters of a text, and the search for one text in another. A character is a code point; a lone
 * surrogate counts as one.
 */

import type { Meter } from "./meter.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** Steps of each character in an array. */
const CHARACTER = 8;

/** Whether each character is one UTF-16 unit. */
function isSimple(meter: Meter, text: string): boolean {
  meter.scan(text.length);
  return !SURROGATE.test(text);
}

/** The number of characters. */
export function lengthOf(meter: Meter, text: string): number {
  return isSimple(meter, text) ? text.length : countUnits(meter, text, text.length);
}

/** The number of characters before a UTF-16 position. */
export function indexOfUnit(meter: Meter, text: string, unit: number): number {
  return isSimple(meter, text) ? unit : countUnits(meter, text, unit);
}

function countUnits(meter: Meter, text: string, end: number): number {
  meter.spend(end);
  let count = 0;
  for (let unit = 0; unit < end; count++) unit += isPair(text, unit) ? 2 : 1;
  return count;
}

/** The UTF-16 position of the character at `index`; at most the end. */
export function unitOf(meter: Meter, text: string, index: number): number {
  if (index >= text.length) return text.length;
  if (isSimple(meter, text)) return index;
  meter.spend(index);
  let unit = 0;
  for (let i = 0; i < index && unit < text.length; i++) unit += isPair(text, unit) ? 2 : 1;
  return unit;
}

function isPair(text: string, unit: number): boolean {
  if ((text.charCodeAt(unit) & 0xfc00) !== 0xd800) return false;
  return (text.charCodeAt(unit + 1) & 0xfc00) === 0xdc00;
}

/** All characters. */
export function charactersOf(meter: Meter, text: string): string[] {
  meter.spend(CHARACTER * text.length);
  return Array.from(text);
}

/** The text from back to front. */
export function reversed(meter: Meter, text: string): string {
  return charactersOf(meter, text).reverse().join("");
}

/**
 * The runtimes' own search is quick for parts up to this length: at most 2 steps a character. For
 * longer ones it may take the product of both lengths: seconds for 500 KB in 10 KB of "aaaa…". The
 * search here takes linear time.
 */
const SHORT = 32;

/** The first position of `part` in `text`, not before `from`; -1 where there is none. */
export function indexOf(meter: Meter, text: string, part: string, from: number): number {
  if (part.length > SHORT && text.length - from >= part.length) {
    return new Finder(meter, part).next(text, from);
  }
  const found = text.indexOf(part, from);
  meter.spend((found < 0 ? Math.max(0, text.length - from) : found - from) + 1);
  return found;
}

/** The last position of `part` in `text`, not after `from`; -1 where there is none. */
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

/** Finds one text several times, with Knuth, Morris and Pratt's algorithm. */
export class Finder {
  readonly #meter: Meter;
  readonly #part: string;
  readonly #steps: Int32Array | undefined;

  /** `part` is the text to find. It must not be empty. */
  constructor(meter: Meter, part: string) {
    this.#meter = meter;
    this.#part = part;
    if (part.length > SHORT) {
      meter.spend(part.length);
      this.#steps = failureSteps(part.length, (i) => part.charCodeAt(i));
    }
  }

  /** The first position of the part in `text`, not before `from`; -1 where there is none. */
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
