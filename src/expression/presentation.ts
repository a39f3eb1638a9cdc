/** Functions that write values for people and for addresses. */

import { countOf, numberOf, stringOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import { define, type Functions } from "./scope.ts";

/** The characters of a text that `slug` reads, and the most that it makes. */
const READ = 1_000;
const LONGEST_SLUG = 100;

/** Steps of each character of a slug, which several patterns read. */
const SLUG_CHARACTER = 100;

/** Latin letters that have no accent to remove. */
const LATIN: ReadonlyMap<string, string> = new Map([
  ["ß", "ss"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["đ", "d"],
  ["ð", "d"],
  ["ħ", "h"],
  ["ı", "i"],
  ["ł", "l"],
  ["þ", "th"],
]);

/**
 * A text as a part of an address: letters and digits in lower case, with dashes between words.
 * Latin letters lose their accents. In other scripts an accent can make another letter.
 */
function slug(meter: Meter, value: unknown): string {
  const text = stringOf("slug", value).trimStart().slice(0, READ);
  meter.spend(SLUG_CHARACTER * text.length);
  const plain = text.normalize("NFKD").toLowerCase()
    .replace(/(\p{Script=Latin})\p{M}+/gu, "$1")
    .replace(/[ßæœøđðħıłþ]/g, (letter) => LATIN.get(letter) ?? letter)
    .normalize("NFC");
  const words = plain.replace(/['’]/g, "").match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return Array.from(words.join("-")).slice(0, LONGEST_SLUG).join("").replace(/-$/, "");
}

/** Steps of writing a number. */
const NUMBER = 300;

/** The most digits after the point that `format_number` makes, and how many it keeps by default. */
const MOST_DIGITS = 100;
const USUAL_DIGITS = 3;

/** How many digits are a group. */
const GROUP = 3;

/** The decimal digits of a number of at least 0 before and after the point. */
function digitsOf(text: string): readonly [whole: string, fraction: string] {
  const [mantissa, exponent = "0"] = text.split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return ["0", "0".repeat(-point) + digits];
  return [digits.slice(0, point).padEnd(point, "0"), digits.slice(point)];
}

/** Rounds halves away from zero. The digits are decimal: 1.005 becomes 1.01. */
function rounded(whole: string, fraction: string, digits: number): [string, string] {
  const kept = whole + fraction.slice(0, digits).padEnd(digits, "0");
  const up = fraction.charAt(digits) >= "5";
  const number = String(BigInt(kept) + (up ? 1n : 0n)).padStart(digits + 1, "0");
  const point = number.length - digits;
  return [number.slice(0, point), number.slice(point)];
}

/** `format_number(number [, digits [, group [, point]]])`. */
function formatNumber(
  meter: Meter,
  value: unknown,
  digits?: unknown,
  group: unknown = ",",
  point: unknown = ".",
): string {
  const number = numberOf("format_number", value);
  const places = digits === undefined ? USUAL_DIGITS : countOf("format_number", digits);
  const [between, mark] = [group, point].map((text) => stringOf("format_number", text));
  if (places > MOST_DIGITS) {
    throw new Failure(`format_number() writes at most ${MOST_DIGITS} digits after the point`);
  }
  if (!Number.isFinite(Number(number))) {
    throw new Failure("format_number() needs a finite number");
  }
  meter.spend(NUMBER);
  const written = String(number);
  const [all, kept] = rounded(...digitsOf(written.replace(/^-/, "")), places);
  let fraction = kept;
  while (digits === undefined && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  const first = all.length % GROUP || GROUP;
  const groups = [all.slice(0, first)];
  for (let at = first; at < all.length; at += GROUP) groups.push(all.slice(at, at + GROUP));
  meter.make(between.length * groups.length + mark.length);
  const sign = written.startsWith("-") && /[1-9]/.test(all + fraction) ? "-" : "";
  return sign + groups.join(between) + (fraction === "" ? "" : mark + fraction);
}

/** The functions of this file. */
export const PRESENTATION_FUNCTIONS: Functions = {
  slug: define(1, 1, slug),
  format_number: define(1, 4, formatNumber),
};
