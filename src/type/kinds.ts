/**
 * The schemas of strings, arrays and objects. Valibot's own schemas of arrays and objects copy every
 * value; those of objects also treat inherited names such as `constructor` as fields.
 */
import { isObject, setField } from "../base/json.ts";
import { didYouMean } from "../base/nearest.ts";
import { Meter } from "../expression/mod.ts";
import { lower as lowerText, trim as trimText } from "../expression/strings.ts";
import type { StringKind } from "./description.ts";
import { FORMATS } from "./formats.ts";
import { checkPart, type CompiledPart, Issues, type Schema } from "./schema.ts";
import * as v from "valibot";

/** The steps of one value, which all types of a configuration count together. */
export class Steps {
  /** Of the value that is being checked. */
  meter = new Meter();

  /** Begins with another value. */
  renew(): void {
    this.meter = new Meter();
  }

  /** The result of `work`; undefined where the value has no steps left. */
  within<T>(work: (meter: Meter) => T): T | undefined {
    if (this.meter.exhausted) return undefined;
    try {
      return work(this.meter);
    } catch (error) {
      if (this.meter.exhausted) return undefined;
      throw error;
    }
  }
}

const LONGEST_ID = 255;
const NUL = "\0";

/** Whether databases can store a text. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes(NUL);
}

/** Refuses a text that a database would refuse: the sender is to blame, and is told so. */
function storable<T>(): v.CheckAction<T, v.ErrorMessage<v.CheckIssue<T>>> {
  return v.check(
    (value) => typeof value !== "string" || isStorable(value),
    ({ input }) =>
      String(input).includes(NUL)
        ? "must not have a NUL character"
        : "must not have half of a surrogate pair",
  );
}

/** A string as its options say. */
export function stringSchema(kind: StringKind, steps: Steps): Schema {
  const { format, minLength = 0, maxLength = Infinity, pattern } = kind;
  const checks: v.CheckAction<string, v.ErrorMessage<v.CheckIssue<string>>>[] = [storable()];
  if (minLength > 0) {
    checks.push(
      v.check(
        (text) => !isShorter(text, minLength),
        `must have at least ${counted(minLength, "character")}`,
      ),
    );
  }
  if (maxLength < Infinity) {
    checks.push(
      v.check(
        (text) => !isLonger(text, maxLength),
        `must have at most ${counted(maxLength, "character")}`,
      ),
    );
  }
  if (format !== undefined) checks.push(FORMATS[format]);
  if (pattern !== undefined) {
    // A text that is too long is refused already, and matching is what takes time.
    const matches = (text: string) =>
      isLonger(text, maxLength) || steps.within((meter) => pattern.test(meter, text)) === true;
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
  const text = v.string("must be a string");
  const change = changeOf(kind, steps);
  return change === undefined ? v.pipe(text, ...checks) : v.pipe(v.pipe(text, change), ...checks);
}

/** What is done to a string before it is checked; undefined for nothing. */
function changeOf(
  { trim, lower }: Pick<StringKind, "trim" | "lower">,
  steps: Steps,
): v.RawTransformAction<string, string> | undefined {
  if (!trim && !lower) return undefined;
  const change = (meter: Meter, text: string) => {
    const trimmed = trim ? trimText(meter, text) : text;
    return lower ? lowerText(meter, trimmed) : trimmed;
  };
  return v.rawTransform(({ dataset: { value: text }, addIssue }) => {
    const changed = steps.within((meter) => change(meter, text));
    if (changed === undefined) addIssue({ message: "takes too long to trim and to lower" });
    return changed ?? text;
  });
}

/** A string of 1 to 255 characters, or a whole number that is exact. */
export const idSchema: Schema = v.pipe(
  v.custom<unknown>(
    (value) =>
      typeof value === "string"
        ? value !== "" && !isLonger(value, LONGEST_ID)
        : Number.isSafeInteger(value),
    `must be a string of 1 to ${LONGEST_ID} characters or a whole number`,
  ),
  storable(),
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

/** Such as `2 items`. */
function counted(amount: number, noun: string): string {
  return `${amount} ${amount === 1 ? noun : `${noun}s`}`;
}

/** How many items there may be. */
export interface ArrayLimits {
  /** 0 by default. */
  readonly minLength?: number;
  /** No limit by default. */
  readonly maxLength?: number;
}

type Items = readonly unknown[];

/** An array of such items. Those of an array that is too long are not looked at. */
export function arraySchema(items: CompiledPart, limits: ArrayLimits): Schema {
  const { minLength = 0, maxLength = Infinity } = limits;
  return v.pipe(
    v.custom<Items>(Array.isArray, "must be an array"),
    v.check(
      ({ length }) => length >= minLength,
      `must have at least ${counted(minLength, "item")}`,
    ),
    v.rawTransform<Items, Items>(({ dataset: { value: input }, addIssue }) => {
      if (input.length > maxLength) {
        addIssue({ message: `must have at most ${counted(maxLength, "item")}` });
        return input;
      }
      const issues = new Issues(addIssue);
      let output: unknown[] | undefined;
      for (let index = 0; index < input.length && !issues.full; index++) {
        const used = checkPart(items, input[index], index, issues);
        if (used !== input[index]) (output ??= [...input])[index] = used;
      }
      return output ?? input;
    }),
  );
}

type Fields = Readonly<Record<string, unknown>>;

/** Any object. */
export const anyObject = v.custom<Fields>(isObject, "must be an object");

/** An object with these fields; others are let through where it is `additional`. */
export function objectSchema(
  fields: ReadonlyMap<string, CompiledPart>,
  additional: boolean,
): Schema {
  const parts = [...fields];
  return v.pipe(
    anyObject,
    v.rawTransform<Fields, Fields>(({ dataset: { value: input }, addIssue }) => {
      const issues = new Issues(addIssue);
      let output: Record<string, unknown> | undefined;
      let known = 0;
      for (const [name, part] of parts) {
        const own = Object.hasOwn(input, name);
        if (own) known++;
        const value = own ? input[name] : undefined;
        const used = checkPart(part, value, name, issues);
        if (used !== value) setField(output ??= { ...input }, name, used);
      }
      // A comparison of numbers is all that an object without unknown fields costs.
      if (!additional && Object.keys(input).length !== known) refuseUnknown(input, fields, issues);
      return output ?? input;
    }),
  );
}

function refuseUnknown(
  input: Fields,
  fields: ReadonlyMap<string, CompiledPart>,
  issues: Issues,
): void {
  for (const name of Object.keys(input)) {
    if (issues.full) return;
    if (fields.has(name)) continue;
    const hint = didYouMean(name, fields.keys());
    issues.add(name, hint === undefined ? "unknown field" : `unknown field, ${hint}`);
  }
}
