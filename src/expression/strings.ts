/** Functions on strings. Lengths and indices count characters (code points). */

import { countOf, listOf, numberOf, stringOf, textOf } from "./arguments.ts";
import { FORMAT } from "./format.ts";
import type { Meter } from "./meter.ts";
import { patternOfConfiguration, patternOfEvent, type TextPattern } from "./pattern.ts";
import { define, type FunctionCall, type Functions } from "./scope.ts";
import { charactersOf, Finder, indexOf, indexOfUnit, lastIndexOf, unitOf } from "./characters.ts";

/** Steps of cutting out a part of a text. */
const PART = 6;

/** Steps of each character where each may be replaced. */
const REPLACED = 10;

/** The characters from `start` to `end` (exclusive), as far as there are any. */
function substring(meter: Meter, text: string, start: number, end?: number): string {
  const from = unitOf(meter, text, start);
  return text.slice(from, end === undefined ? undefined : unitOf(meter, text, end));
}

function split(meter: Meter, text: string, separator: string, limit = Infinity): string[] {
  if (limit === 0) return [];
  if (separator === "") {
    const parts = charactersOf(meter, text);
    return parts.length <= limit
      ? parts
      : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join("")];
  }
  const finder = new Finder(meter, separator);
  const parts: string[] = [];
  let start = 0;
  while (parts.length < limit - 1) {
    const end = finder.next(text, start);
    if (end < 0) break;
    meter.spend(PART);
    parts.push(text.slice(start, end));
    start = end + separator.length;
  }
  parts.push(text.slice(start));
  return parts;
}

/** Replaces the first `limit` occurrences. An empty `old` is between all characters. */
function replace(meter: Meter, text: string, old: string, by: string, limit = Infinity): string {
  const parts = old === "" ? between(meter, text, limit + 1) : split(meter, text, old, limit + 1);
  meter.make(text.length + by.length * (parts.length - 1));
  return parts.join(by);
}

/** The text cut before and after each of its characters, into at most `most` parts. */
function between(meter: Meter, text: string, most: number): string[] {
  const parts = ["", ...charactersOf(meter, text), ""];
  meter.spend(PART * parts.length);
  return parts.length <= most
    ? parts
    : [...parts.slice(0, most - 1), parts.slice(most - 1).join("")];
}

function join(meter: Meter, list: readonly unknown[], separator: string): string {
  const texts = list.map((item) => {
    const text = textOf("join", item);
    meter.spend(PART);
    meter.make(text.length + separator.length);
    return text;
  });
  return texts.join(separator);
}

/** The position of an occurrence in characters; -1 for none. */
function position(meter: Meter, text: string, unit: number): bigint {
  return BigInt(unit < 0 ? -1 : indexOfUnit(meter, text, unit));
}

/** `matches(text, pattern)`. A pattern that is a literal is compiled once. */
function prepareMatches([, pattern]: readonly unknown[]): FunctionCall {
  if (typeof pattern === "string") {
    const compiled = patternOfConfiguration(pattern);
    return (meter, text) => compiled.test(meter, stringOf("matches", text));
  }
  // A macro calls it for each item, and the next events often have the same pattern.
  let last: TextPattern | undefined;
  return (meter, text, pattern) => {
    const source = stringOf("matches", pattern);
    if (last?.source !== source) last = patternOfEvent(meter, source);
    return last.test(meter, stringOf("matches", text));
  };
}

/** Unicode's white space beyond ASCII. `String.trim` also removes U+FEFF, but not U+0085. */
const SPACES: ReadonlySet<number> = new Set([
  0x85,
  0xa0,
  0x1680,
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  0x2028,
  0x2029,
  0x202f,
  0x205f,
  0x3000,
]);

function isSpace(code: number): boolean {
  return code < 128 ? code === 32 || (code >= 9 && code <= 13) : SPACES.has(code);
}

/** The text without white space at both ends. */
export function trim(meter: Meter, text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  meter.spend(start + text.length - end);
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** The text in lower case. */
export function lower(meter: Meter, text: string): string {
  meter.spend(text.length);
  return text.toLowerCase();
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** The string as a literal of CEL, in quotes. */
function quote(meter: Meter, text: string): string {
  meter.spend(REPLACED * text.length);
  return `"${text.replace(/[\p{Cc}\\"]/gu, (unit) => ESCAPES.get(unit) ?? unit)}"`;
}

function lowerAscii(meter: Meter, text: string): string {
  meter.spend(REPLACED * text.length);
  return text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
}

function upperAscii(meter: Meter, text: string): string {
  meter.spend(REPLACED * text.length);
  return text.replace(/[a-z]+/g, (part) => part.toUpperCase());
}

/** A function of one string. */
function onString(name: string, act: (meter: Meter, text: string) => unknown) {
  return define(1, 1, (meter, text) => act(meter, stringOf(name, text)));
}

/** A function of two strings. */
function onStrings(name: string, act: (meter: Meter, text: string, other: string) => unknown) {
  return define(
    2,
    2,
    (meter, text, other) => act(meter, stringOf(name, text), stringOf(name, other)),
  );
}

function optionalCount(name: string, value: unknown): number | undefined {
  return value === undefined ? undefined : countOf(name, value);
}

/** As in CEL, a negative limit means none. */
function limitOf(name: string, value: unknown): number | undefined {
  return value === undefined || Number(numberOf(name, value)) < 0
    ? undefined
    : countOf(name, value);
}

/** The functions of this file. */
export const STRING_FUNCTIONS: Functions = {
  lower: onString("lower", lower),
  upper: onString("upper", (meter, text) => {
    meter.spend(text.length);
    return text.toUpperCase();
  }),
  lowerAscii: onString("lowerAscii", lowerAscii),
  upperAscii: onString("upperAscii", upperAscii),
  trim: onString("trim", trim),
  contains: onStrings("contains", (meter, text, part) => indexOf(meter, text, part, 0) >= 0),
  startsWith: onStrings("startsWith", (meter, text, part) => {
    meter.scan(part.length);
    return text.startsWith(part);
  }),
  endsWith: onStrings("endsWith", (meter, text, part) => {
    meter.scan(part.length);
    return text.endsWith(part);
  }),
  matches: define(
    2,
    2,
    (meter, text, pattern) =>
      patternOfEvent(meter, stringOf("matches", pattern)).test(meter, stringOf("matches", text)),
    prepareMatches,
  ),
  split: define(2, 3, (meter, text, separator, limit) =>
    split(
      meter,
      stringOf("split", text),
      stringOf("split", separator),
      limitOf("split", limit),
    )),
  join: define(1, 2, (meter, list, separator = "") =>
    join(
      meter,
      listOf("join", list),
      stringOf("join", separator),
    )),
  replace: define(3, 4, (meter, text, old, by, limit) =>
    replace(
      meter,
      stringOf("replace", text),
      stringOf("replace", old),
      stringOf("replace", by),
      limitOf("replace", limit),
    )),
  substring: define(2, 3, (meter, text, start, end) =>
    substring(
      meter,
      stringOf("substring", text),
      countOf("substring", start),
      optionalCount("substring", end),
    )),
  format: FORMAT,
  "strings.quote": onString("strings.quote", quote),
  charAt: define(2, 2, (meter, text, index) => {
    const at = countOf("charAt", index);
    return substring(meter, stringOf("charAt", text), at, at + 1);
  }),
  indexOf: define(2, 3, (meter, text, part, from = 0) => {
    const within = stringOf("indexOf", text);
    const start = unitOf(meter, within, countOf("indexOf", from));
    return position(meter, within, indexOf(meter, within, stringOf("indexOf", part), start));
  }),
  lastIndexOf: define(2, 3, (meter, text, part, from = Number.MAX_SAFE_INTEGER) => {
    const within = stringOf("lastIndexOf", text);
    const start = unitOf(meter, within, countOf("lastIndexOf", from));
    return position(
      meter,
      within,
      lastIndexOf(meter, within, stringOf("lastIndexOf", part), start),
    );
  }),
};
