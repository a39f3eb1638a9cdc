/** Characters of a string: code points. A lone surrogate counts as one. */

import type { Meter } from "./meter.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** What an array of characters takes for each. */
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

/** The number of characters in front of a UTF-16 position. */
export function indexOfUnit(meter: Meter, text: string, unit: number): number {
  return isSimple(meter, text) ? unit : countUnits(meter, text, unit);
}

function countUnits(meter: Meter, text: string, end: number): number {
  meter.spend(end);
  let count = 0;
  for (let unit = 0; unit < end; count++) unit += isPair(text, unit) ? 2 : 1;
  return count;
}

/** The UTF-16 position of the character at `index`; what lies beyond the end is the end. */
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
