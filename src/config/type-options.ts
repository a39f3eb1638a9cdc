/** The options in a `type` block, such as those of `string({ max_length = 5 })`. */
import * as v from "valibot";
import { Meter } from "../expression/mod.ts";
import { TextPattern } from "../expression/pattern.ts";
import { lower, trim } from "../expression/strings.ts";
import { quoted } from "../base/shown.ts";
import { didYouMean } from "../base/nearest.ts";
import type { Pattern } from "../type/description.ts";
import { type Format, FORMATS } from "../type/formats.ts";
import { isStorable } from "../type/kinds.ts";
import { flag, integer, oneOf, type ValueSchema, valueSchema } from "../contract/value-schema.ts";
import { Call, itemPlaceOf, type Report, type Span } from "../hcl/tree.ts";

/** Where a problem is reported, and of what. */
export interface Place {
  /** In words, such as `type "order", field "tags[]"`. */
  readonly subject: string;
  /** The word to blame. */
  readonly span: Span;
  readonly report: Report;
}

type Schemas = Readonly<Record<string, ValueSchema<unknown>>>;
type Values<S extends Schemas> = {
  readonly [K in keyof S]?: S[K] extends ValueSchema<infer T> ? T : never;
};

const FORMAT_NAMES = Object.keys(FORMATS) as Format[];

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Any number; its text is taken too, since an environment holds nothing else. */
const anyNumber: ValueSchema<number> = valueSchema(
  "number",
  v.pipe(
    v.unknown(),
    v.transform(numberIn),
    v.number("must be a number"),
    v.finite("must be a number"),
  ),
);

const EXACT = "must be a whole number that is exact";

/** The same of a whole number. */
const wholeNumber: ValueSchema<number> = valueSchema(
  "whole number",
  v.pipe(v.unknown(), v.transform(numberIn), v.number(EXACT), v.safeInteger(EXACT)),
);

function numberIn(value: unknown): unknown {
  return typeof value === "string" && NUMBER.test(value.trim()) ? Number(value) : value;
}

/** Any value; whether it fits the type is checked when the type is there. */
const anyValue: ValueSchema<unknown> = valueSchema(
  "value",
  v.pipe(
    v.unknown(),
    v.check((value) => value !== null, "must be a value\nfor none, write required = false"),
  ),
);

const strings: ValueSchema<string[]> = listOf("strings", v.string("must be a list of strings"));
const numbers: ValueSchema<number[]> = listOf("numbers", v.number("must be a list of numbers"));
const wholeNumbers: ValueSchema<number[]> = listOf(
  "whole numbers",
  v.pipe(
    v.number("must be a list of whole numbers"),
    v.safeInteger("must be a list of whole numbers"),
  ),
);

function listOf<T>(items: string, item: v.GenericSchema<unknown, T>): ValueSchema<T[]> {
  const message = `must be a list of ${items}`;
  return valueSchema(
    `list of ${items}`,
    v.pipe(v.array(item, message), v.minLength(1, "must have at least one value")),
  );
}

/** RE2 has no look-around and no back-references, so that no text can make it slow. */
const pattern: ValueSchema<Pattern> = valueSchema(
  "pattern",
  v.pipe(
    v.string("must be a pattern in quotes"),
    v.rawTransform<string, Pattern>(({ dataset: { value: source }, addIssue, NEVER }) => {
      try {
        return new TextPattern(source);
      } catch (error) {
        const reason = (error as { readonly message: string }).message;
        addIssue({ message: `must be a pattern of RE2\n${reason}` });
        return NEVER;
      }
    }),
  ),
);

const fieldName: ValueSchema<string> = valueSchema(
  "name of a field",
  v.pipe(v.string("must be text in quotes"), v.minLength(1, "must be the name of a field")),
);

const length = { min_length: integer(), max_length: integer() };

/** The options of each kind, and of a reference to a type. */
export const OPTIONS = {
  string: {
    required: flag(),
    default: anyValue,
    trim: flag(),
    lower: flag(),
    format: oneOf(FORMAT_NAMES),
    pattern,
    enum: strings,
    ...length,
  },
  number: { required: flag(), default: anyNumber, min: anyNumber, max: anyNumber, enum: numbers },
  integer: {
    required: flag(),
    default: wholeNumber,
    min: wholeNumber,
    max: wholeNumber,
    enum: wholeNumbers,
  },
  boolean: { required: flag(), default: flag() },
  id: { required: flag(), default: anyValue },
  array: { required: flag(), default: anyValue, ...length },
  object: { required: flag(), default: anyValue },
  shape: { required: flag(), default: anyValue, additional: flag() },
  reference: { required: flag(), default: anyValue },
  union: { required: flag(), default: anyValue, by: fieldName },
} as const;

/** Reads an object of options; `kind` is the word to which they belong. */
export function readOptions<S extends Schemas>(
  schemas: S,
  kind: string,
  written: unknown,
  place: Place,
): Values<S> {
  if (written === undefined) return {};
  const { subject, report } = place;
  if (!isOptions(written)) {
    const message = `${subject}: the options of ${kind} must be an object`;
    const hint = "such as { required = false }";
    report({ code: "invalid-value", span: place.span, message, hint });
    return {};
  }
  const values: [string, unknown][] = [];
  for (const [name, value] of Object.entries(written)) {
    if (!Object.hasOwn(schemas, name)) {
      const names = Object.keys(schemas);
      const hints = [didYouMean(name, names), `${kind} has ${names.join(", ")}`];
      const span = optionName(written, name, place);
      const message = `${subject}: ${kind} has no option "${name}"`;
      report({ code: "unknown-option", span, message, hint: hints.filter(Boolean).join(" ") });
      continue;
    }
    const call = callIn(value);
    if (call !== undefined) {
      const hint = `write it in quotes: "${call.name}"`;
      const message = `${subject}: ${name} cannot hold a type`;
      report({ code: "invalid-value", span: call.span, message, hint });
      continue;
    }
    const result = schemas[name].parse(value);
    if ("value" in result) values.push([name, result.value]);
    else {
      const message = `${subject}: ${name} ${result.problem}`;
      const span = optionPlace(written, name, place);
      report({ code: "invalid-value", span, message, hint: result.hint });
    }
  }
  return Object.fromEntries(values) as Values<S>;
}

/** The arguments of a call; reports those beyond `most`. */
export function takeArguments(call: Call, most: number, place: Place): readonly unknown[] {
  if (call.arguments.length > most) {
    const hint = most === 1 ? `write it as ${call.name}({ … })` : "the options come last";
    const message = `${place.subject}: ${call.name} has too many arguments`;
    place.report({ code: "wrong-arguments", span: call.span, message, hint });
  }
  return call.arguments.slice(0, most);
}

/** The limits of a length as a kind has them. */
export function lengths(options: { readonly min_length?: number; readonly max_length?: number }) {
  return { minLength: options.min_length, maxLength: options.max_length };
}

/** Reports a lower limit above the upper one. */
export function compareLimits<K extends string>(
  low: K,
  high: K,
  options: { readonly [name in K]?: number },
  written: unknown,
  place: Place,
): void {
  const [least, most] = [options[low], options[high]];
  if (least === undefined || most === undefined || least <= most) return;
  const message = `${place.subject}: ${low} must not be greater than ${high}`;
  place.report({ code: "invalid-limits", span: optionPlace(written, low, place), message });
}

/** Reports values of `enum` that no text can have once it has been changed and checked. */
export function compareEnum(
  options: { readonly trim?: boolean; readonly lower?: boolean; readonly enum?: readonly string[] },
  written: unknown,
  place: Place,
): void {
  for (const value of options.enum ?? []) {
    if (!isStorable(value)) {
      place.report({
        code: "invalid-limits",
        span: optionPlace(written, "enum", place),
        message: `${place.subject}: enum has ${quoted(value)}, which no text can be`,
        hint: "a text has no NUL character",
      });
      continue;
    }
    const trimmed = options.trim ? trim(new Meter(), value) : value;
    const changed = options.lower ? lower(new Meter(), trimmed) : trimmed;
    if (changed === value) continue;
    const option = trimmed === value ? "lower" : "trim";
    place.report({
      code: "invalid-limits",
      span: optionPlace(written, "enum", place),
      message: `${place.subject}: enum has ${quoted(value)}, which no text is after ${option}`,
      hint: `write it as ${quoted(changed)}`,
    });
  }
}

/** The place of an option's value. */
export function optionPlace(written: unknown, name: string, { span }: Place): Span {
  return isOptions(written) ? itemPlaceOf(written, name)?.valueSpan ?? span : span;
}

/** The place of an option's name, which is in front of its value. */
function optionName(written: object, name: string, place: Place): Span {
  const value = optionPlace(written, name, place);
  const before = value.file.text.slice(0, value.start).trimEnd().replace(/[=:]$/, "").trimEnd()
    .replace(/"$/, "");
  if (value === place.span || !before.endsWith(name)) return value;
  return { file: value.file, start: before.length - name.length, end: before.length };
}

/** Whether a value is an object, such as one of options. */
export function isOptions(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Call);
}

/** The first type that a value holds, at any depth. */
function callIn(value: unknown): Call | undefined {
  if (value instanceof Call) return value;
  if (typeof value !== "object" || value === null) return undefined;
  for (const item of Object.values(value)) {
    const found = callIn(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
