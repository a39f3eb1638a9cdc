/** Functions on strings. Lengths and indices count characters (code points). */

import { RE2JS } from "re2js";
import { countOf, listOf, numberOf, stringOf, textOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { FORMAT } from "./format.ts";
import { define, type FunctionCall, type Functions } from "./scope.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** A string that is indexed by characters: itself where each is one UTF-16 unit. */
function characters(text: string): string | string[] {
  return SURROGATE.test(text) ? Array.from(text) : text;
}

/** The number of characters. */
export function lengthOf(text: string): number {
  return characters(text).length;
}

/** The UTF-16 position of the character at `index`, at most the end. */
function unitOf(text: string, index: number): number {
  const all = characters(text);
  return typeof all === "string" ? index : all.slice(0, index).join("").length;
}

/** The characters from `start` to `end` (exclusive); what lies beyond the end is left out. */
function substring(text: string, start: number, end?: number): string {
  const part = characters(text).slice(start, end);
  return typeof part === "string" ? part : part.join("");
}

/** The string from back to front. */
export function reverseString(text: string): string {
  return Array.from(text).reverse().join("");
}

function split(text: string, separator: string, limit = Infinity): string[] {
  if (limit === 0) return [];
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  if (parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

/** Replaces the first `limit` occurrences; an empty `old` stands between all characters. */
function replace(text: string, old: string, by: string, limit = Infinity): string {
  // With an empty `old` the parts are the characters, and one more place is before the first.
  const parts = old === "" ? ["", ...Array.from(text), ""] : text.split(old);
  let result = parts[0];
  for (let i = 1; i < parts.length; i++) result += (i <= limit ? by : old) + parts[i];
  return result;
}

function join(list: readonly unknown[], separator: string): string {
  return list.map((item) => textOf("join", item)).join(separator);
}

/** The position of an occurrence in characters, -1 where there is none. */
function position(text: string, unit: number): bigint {
  return BigInt(unit < 0 ? -1 : lengthOf(text.slice(0, unit)));
}

/**
 * A pattern of RE2, which is what CEL specifies: no look-around, no back-references, and time that
 * grows with the length of the text alone, so no client can hang the server with a clever text.
 */
function matcher(pattern: string): (text: unknown) => boolean {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => compiled.test(stringOf("matches", text));
  } catch {
    // The library's own error shows the pattern, which may be a part of what a client sent.
    throw new Failure("matches() cannot read its pattern");
  }
}

function prepareMatches(literals: readonly unknown[]): FunctionCall | undefined {
  return typeof literals[1] === "string" ? matcher(literals[1]) : undefined;
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

/** The string in quotes, as CEL would read it back. */
function quote(text: string): string {
  return `"${Array.from(text, (character) => ESCAPES.get(character) ?? character).join("")}"`;
}

/** A function of one string. */
function onString(name: string, act: (text: string) => unknown) {
  return define(1, 1, (text) => act(stringOf(name, text)));
}

/** A function of two strings. */
function onStrings(name: string, act: (text: string, other: string) => unknown) {
  return define(2, 2, (text, other) => act(stringOf(name, text), stringOf(name, other)));
}

function optionalCount(name: string, value: unknown): number | undefined {
  return value === undefined ? undefined : countOf(name, value);
}

/** CEL: a negative limit means none. */
function limitOf(name: string, value: unknown): number | undefined {
  return value === undefined || numberOf(name, value) < 0 ? undefined : countOf(name, value);
}

/** All functions of this file. */
export const STRING_FUNCTIONS: Functions = {
  lower: onString("lower", (text) => text.toLowerCase()),
  upper: onString("upper", (text) => text.toUpperCase()),
  lowerAscii: onString("lowerAscii", (s) => s.replace(/[A-Z]+/g, (part) => part.toLowerCase())),
  upperAscii: onString("upperAscii", (s) => s.replace(/[a-z]+/g, (part) => part.toUpperCase())),
  trim: onString("trim", (text) => text.trim()),
  contains: onStrings("contains", (text, part) => text.includes(part)),
  startsWith: onStrings("startsWith", (text, part) => text.startsWith(part)),
  endsWith: onStrings("endsWith", (text, part) => text.endsWith(part)),
  matches: define(
    2,
    2,
    (text, pattern) => matcher(stringOf("matches", pattern))(text),
    prepareMatches,
  ),
  split: define(2, 3, (text, separator, limit) =>
    split(
      stringOf("split", text),
      stringOf("split", separator),
      limitOf("split", limit),
    )),
  join: define(1, 2, (list, separator = "") =>
    join(
      listOf("join", list),
      stringOf("join", separator),
    )),
  replace: define(3, 4, (text, old, by, limit) =>
    replace(
      stringOf("replace", text),
      stringOf("replace", old),
      stringOf("replace", by),
      limitOf("replace", limit),
    )),
  substring: define(2, 3, (text, start, end) =>
    substring(
      stringOf("substring", text),
      countOf("substring", start),
      optionalCount("substring", end),
    )),
  format: FORMAT,
  "strings.quote": onString("strings.quote", quote),
  charAt: define(2, 2, (text, index) => {
    const at = countOf("charAt", index);
    return substring(stringOf("charAt", text), at, at + 1);
  }),
  indexOf: define(2, 3, (text, part, from = 0) => {
    const within = stringOf("indexOf", text);
    const start = unitOf(within, countOf("indexOf", from));
    return position(within, within.indexOf(stringOf("indexOf", part), start));
  }),
  lastIndexOf: define(2, 3, (text, part, from = Number.MAX_SAFE_INTEGER) => {
    const within = stringOf("lastIndexOf", text);
    const start = unitOf(within, countOf("lastIndexOf", from));
    return position(within, within.lastIndexOf(stringOf("lastIndexOf", part), start));
  }),
};
