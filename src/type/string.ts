/** The schemas of strings and ids. */
import * as v from "valibot";
import type { StringKind } from "./description.ts";
import { FORMATS } from "./formats.ts";
import type { Schema } from "./schema.ts";
import type { Steps } from "./steps.ts";

const LONGEST_ID = 255;

/** A string as its options say. */
export function stringSchema(kind: StringKind, steps: Steps): Schema {
  const { format, minLength = 0, maxLength = Infinity, pattern } = kind;
  const checks: v.CheckAction<string, v.ErrorMessage<v.CheckIssue<string>>>[] = [];
  if (minLength > 0) {
    checks.push(
      v.check((text) => !isShorter(text, minLength), `must have at least ${count(minLength)}`),
    );
  }
  if (maxLength < Infinity) {
    checks.push(
      v.check((text) => !isLonger(text, maxLength), `must have at most ${count(maxLength)}`),
    );
  }
  if (format !== undefined) checks.push(FORMATS[format]);
  if (pattern !== undefined) {
    // A text that is too long is refused already, and matching is what takes time.
    const matches = (text: string) =>
      isLonger(text, maxLength) || steps.within((meter) => pattern.test(meter, text));
    checks.push(
      v.check(
        matches,
        () =>
          steps.meter.exhausted
            ? `takes too long to compare with the pattern ${pattern.source}`
            : `must match the pattern ${pattern.source}`,
      ),
    );
  }
  if (kind.enum !== undefined) checks.push(oneOf(kind.enum));
  return v.pipe(v.string("must be a string"), ...checks);
}

/** A string of 1 to 255 characters, or a whole number that is exact. */
export const idSchema: Schema = v.custom(
  (value) =>
    typeof value === "string"
      ? value !== "" && !isLonger(value, LONGEST_ID)
      : Number.isSafeInteger(value),
  `must be a string of 1 to ${LONGEST_ID} characters or a whole number`,
);

/** One of the values. */
export function oneOf<T extends string | number>(values: readonly T[]): v.CheckAction<T, string> {
  const known = new Set(values);
  const words = values.map((value) => JSON.stringify(value)).join(", ");
  return v.check((value) => known.has(value), `must be one of ${words}`);
}

/** A character has one or two units, so that most texts need no counting. */
function isLonger(text: string, most: number): boolean {
  return text.length > most && (text.length > 2 * most || characters(text) > most);
}

function isShorter(text: string, least: number): boolean {
  return text.length < 2 * least && (text.length < least || characters(text) < least);
}

/** The number of characters (code points). */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function count(characters: number): string {
  return `${characters} ${characters === 1 ? "character" : "characters"}`;
}
